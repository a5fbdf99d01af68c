"""Comparisons on made-up values: the outcomes, and what cannot be compared."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.model import Analysis, Estimate, Trial
from runner.analysis.runs.comparison import compare
from runner.analysis.runs.environment_diff import flat
from runner.analysis.runs.side import Side
from runner.analysis.stats.intervals import median_interval
from runner.spec.metrics import Metric


def estimate(values, treatment=None, step=None, level=None):
    numbers = sorted(value for value in values if value is not None)
    found = median_interval(numbers, 0.9)
    return Estimate(
        "m", "ms", treatment or {}, step, tuple(values), len(numbers),
        numbers[len(numbers) // 2] if numbers else None,
        found.bounds if found else None, level or (found.level if found else None),
    )  # fmt: skip


def side(values, run="", where=None, better="lower", level=None, treatment=None):
    trials = tuple(
        Trial(f"t{i}", "h", treatment or {}, i, 1, "healthy", "", 0.0)
        for i, _ in enumerate(values, 1)
    )
    metric = Metric.model_validate({"from": "load.rps", "better": better})
    analysis = Analysis(trials=trials, estimates=(estimate(values, treatment, level=level),))
    return Side(run or "x", analysis, where or {}, {}, {}, {"m": metric}, run)


def outcome(a, b, better="lower", **options):
    (row,) = compare(side(a, better=better, **options), side(b, better=better, **options)).rows
    return row


TEN = [10.0, 10.1, 9.9, 10.05, 9.95, 10.02]


@pytest.mark.parametrize(
    ("b", "better", "expected"),
    [
        (TEN, "lower", "equivalent"),
        ([v * 1.01 for v in TEN], "lower", "equivalent"),
        ([v * 2 for v in TEN], "lower", "worse"),
        ([v * 2 for v in TEN], "higher", "better"),
        ([v / 2 for v in TEN], "lower", "better"),
        ([v * 2 for v in TEN], None, "changed"),
        ([5.0, 20.0, 9.0, 13.0, 8.0, 12.0], "lower", "undecided"),
    ],
)
def test_outcomes(b, better, expected):
    assert outcome(TEN, b, better).outcome == expected


def test_too_few_values_decide_nothing():
    row = outcome([10.0, 10.1], [20.0, 20.1])
    assert row.outcome == "undecided"
    assert "too few" in row.why


def test_zeros_have_no_ratio_and_are_compared_by_rank():
    row = outcome([0.0] * 6, [3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert (row.ratio, row.outcome) == (None, "worse")
    assert outcome([0.0] * 6, [0.0] * 6).outcome == "equivalent"


def test_nothing_on_one_side_is_not_zero():
    row = outcome([None, None], TEN)
    assert (row.outcome, row.ratio, row.median[0]) == ("not comparable", None, None)


def test_exact_numbers_need_no_repetitions():
    assert outcome([100.0], [100.0], level=1.0).outcome == "equivalent"
    assert outcome([100.0], [200.0], level=1.0).outcome == "worse"
    assert outcome([100.0], [101.0], level=1.0).outcome == "equivalent"
    assert outcome([0.0], [1.0], level=1.0).outcome == "worse"


def test_regressions_come_first():
    a, b = side(TEN), side([v * 2 for v in TEN])
    more = dataclasses.replace(estimate(TEN), metric="same")
    both = [
        dataclasses.replace(
            one,
            analysis=dataclasses.replace(one.analysis, estimates=(more, *one.analysis.estimates)),
        )
        for one in (a, b)
    ]
    found = compare(*both)
    assert [row.outcome for row in found.rows] == ["worse", "equivalent"]
    assert [row.metric for row in found.regressions] == ["m"]


def family(count, far=1.5):
    """One metric that differs by pairs, in a run with others that do not."""
    base = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    noise = [0.8, 1.3, 0.7, 1.25, 0.9, 1.2]
    trials = tuple(
        Trial(f"{x}{i}", "h", {"f": x}, i, 1, "healthy", "", 0.0) for x in "ab" for i in range(1, 7)
    )
    cells = [estimate(base, {"f": "a"}), estimate([v * far for v in base], {"f": "b"})]
    for at in range(1, count):
        for level, values in (
            ("a", base),
            ("b", [v * n for v, n in zip(base, noise, strict=True)]),
        ):
            cells.append(dataclasses.replace(estimate(values, {"f": level}), metric=f"m{at}"))
    metrics = {
        name: Metric.model_validate({"from": "load.rps", "better": "lower"})
        for name in ("m", *(f"m{at}" for at in range(1, count)))
    }
    analysis = Analysis(trials=trials, estimates=tuple(cells))
    sides = (Side(x, analysis, {"f": x}, {}, {}, metrics, "run") for x in "ab")
    return compare(*sides)


def test_the_number_of_metrics_counts():
    """Six pairs of six are p = 0.031: a regression alone, not as one of two metrics."""
    (alone,) = family(1).rows
    assert (alone.outcome, alone.p_holm) == ("worse", 2 / 2**6)
    two = family(2)
    row = next(row for row in two.rows if row.metric == "m")
    assert (two.tests, row.p, row.p_holm) == (2, 2 / 2**6, 4 / 2**6)
    assert (row.outcome, two.regressions) == ("undecided", ())
    assert row.why == "p = 0.031 by itself, 0.062 among 2 tests"


def test_exact_metrics_take_no_part_in_the_correction():
    found = compare(side([100.0], level=1.0), side([200.0], level=1.0))
    assert (found.tests, found.rows[0].p_holm, found.rows[0].outcome) == (0, None, "worse")


def test_a_lost_repetition_shifts_no_pair():
    """Repetition 2 of a is missing: the pairs are those of 1 and 3 to 7."""
    base = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]
    kept = [i for i in range(1, 8) if i != 2]
    trials = [Trial(f"a{i}", "h", {"f": "a"}, i, 1, "healthy", "", 0.0) for i in kept]
    trials += [Trial(f"b{i}", "h", {"f": "b"}, i, 1, "healthy", "", 0.0) for i in range(1, 8)]
    analysis = Analysis(
        trials=tuple(trials),
        estimates=(
            estimate([base[i - 1] for i in kept], {"f": "a"}),
            estimate([v * 1.5 for v in base], {"f": "b"}),
        ),
    )
    metrics = {"m": Metric.model_validate({"from": "load.rps"})}
    a, b = (Side(x, analysis, {"f": x}, {}, {}, metrics, "run") for x in "ab")
    (row,) = compare(a, b).rows
    assert row.test == "sign test on pairs"
    assert row.ratio == pytest.approx(1.5)
    assert row.ratio_interval == pytest.approx((1.5, 1.5))


VALUES = st.lists(st.floats(0.5, 2.0), min_size=6, max_size=10)


@given(VALUES, VALUES)
def test_turning_round_turns_better_into_worse(x, y):
    turned = {"better": "worse", "worse": "better"}
    one, other = outcome(x, y), outcome(y, x)
    assert turned.get(one.outcome, one.outcome) == other.outcome
    assert one.p == pytest.approx(other.p)


@given(st.recursive(st.integers(), lambda inner: st.dictionaries(st.text("ab", min_size=1), inner)))
def test_flat_loses_no_leaf(value):
    def leaves(found):
        return sum(map(leaves, found.values())) if isinstance(found, dict) else 1

    assert len(flat(value)) == leaves(value)
