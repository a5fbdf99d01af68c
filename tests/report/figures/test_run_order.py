"""The figure of a claim's values in the order of measuring."""

from runner.analysis.model import ClaimResult
from runner.report.figures import run_order


def claim(values, said="values rise in run order (tau = +1.00, p = 0.001)"):
    return ClaimResult(
        "1", "", "q", "1", "inconclusive", "", unit="s", values=values, run_order=said
    )


def test_values_stand_in_the_order_of_measuring():
    drawn = run_order.draw(claim((1.0, 2.0, 3.0, 4.0, 5.0, 6.0))).decode()
    assert drawn.count("<circle") == 6
    assert "position in the order of measuring" in drawn
    assert "values rise in run order" in drawn


def test_nothing_is_drawn_where_no_order_was_looked_at():
    assert run_order.draw(claim((1.0, 2.0))) is None
    assert run_order.draw(claim((1.0,) * 7, said="")) is None
