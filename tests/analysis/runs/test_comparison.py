"""Comparisons on made-up values: the outcomes, and what cannot be compared."""

import dataclasses
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.analysis.model import Analysis, Estimate, Trial
from runner.analysis.runs.comparison import compare
from runner.analysis.runs.environment_diff import flat
from runner.analysis.runs.side import Side
from runner.analysis.stats.intervals import median_interval
from runner.spec.experiment import Experiment
from runner.spec.metrics import Metric


def estimate(values, treatment=None, step=None, level=None):
    numbers = sorted(value for value in values if value is not None)
    found = median_interval(numbers, 0.9)
    return Estimate(
        "m", "ms", treatment or {}, step, tuple(values), len(numbers),
        numbers[len(numbers) // 2] if numbers else None,
        found.bounds if found else None, level or (found.level if found else None),
        exact=level == 1.0,
    )  # fmt: skip


def side(values, run="", where=None, better="lower", level=None, treatment=None):
    trials = tuple(
        Trial(f"t{i}", "h", treatment or {}, i, 1, "healthy", "", 0.0)
        for i, _ in enumerate(values, 1)
    )
    metric = Metric.model_validate({"from": "load.rps", "better": better})
    analysis = Analysis(trials=trials, estimates=(estimate(values, treatment, level=level),))
    return Side(run or "x", analysis, where or {}, {}, Experiment(metrics={"m": metric}), run)


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


def family(count, slower, far=3.0, pairs=6):
    """So many metrics in a run of two treatments; the first of them so many times slower."""
    dice = random.Random(4)
    trials = tuple(
        Trial(f"{x}{i}", "h", {"f": x}, i, 1, "healthy", "", 0.0)
        for x in "ab"
        for i in range(1, pairs + 1)
    )
    cells = []
    for at in range(count):
        base = [10 * dice.lognormvariate(0, 0.05) for _ in range(pairs)]
        times = far if at < slower else 1.0
        other = [times * v * dice.lognormvariate(0, 0.05) for v in base]
        cells += [
            dataclasses.replace(estimate(values, {"f": level}), metric=f"m{at}")
            for level, values in (("a", base), ("b", other))
        ]
    lower = Metric.model_validate({"from": "load.rps", "better": "lower"})
    metrics = {f"m{at}": lower for at in range(count)}
    analysis = Analysis(trials=trials, estimates=tuple(cells))
    sides = (Side(x, analysis, {"f": x}, {}, Experiment(metrics=metrics), "run") for x in "ab")
    return compare(*sides)


@pytest.mark.parametrize(("count", "slower"), [(4, 4), (13, 13), (13, 1), (13, 6)])
def test_six_pairs_of_a_threefold_change_are_decided_in_any_number_of_metrics(count, slower):
    found = family(count, slower)
    worse = {row.metric for row in found.rows if row.outcome == "worse"}
    assert {f"m{at}" for at in range(slower)} <= worse
    assert found.tests == count
    for row in found.regressions:
        assert row.p_adjusted <= 0.05
        assert row.ratio_of == "paired ratios' median"


def test_five_pairs_are_compared_as_values_and_three_can_decide_nothing():
    assert {row.outcome for row in family(4, 4, pairs=5).rows} == {"worse"}
    found = family(4, 4, pairs=3)
    assert {row.outcome for row in found.rows} == {"undecided"}
    assert "at least 4 of each can" in " ".join(found.notes)
    assert all(
        row.needed >= 4 and f"about {row.needed} repetitions" in row.why for row in found.rows
    )


def test_what_is_undecided_says_how_many_would_decide():
    found = family(3, 3, far=1.03)
    undecided = [row for row in found.rows if row.outcome == "undecided"]
    assert undecided
    assert all(f"about {row.needed} pairs would find" in row.why for row in undecided if row.needed)


def test_a_ratio_against_the_medians_is_said():
    """b is larger in most pairs, and its median smaller."""
    x = [1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0, 14.0]
    y = [2.0, 4.0, 6.0, 9.99, 22.0, 24.0, 26.0, 28.0]
    swapped = [*y[:3], 9.0, *y[4:]]
    trials = tuple(
        Trial(f"{f}{i}", "h", {"f": f}, i, 1, "healthy", "", 0.0) for f in "ab" for i in range(1, 9)
    )
    one, other = estimate(x, {"f": "a"}), estimate(swapped, {"f": "b"})
    other = dataclasses.replace(other, median=5.0)
    analysis = Analysis(trials=trials, estimates=(one, other))
    metrics = {"m": Metric.model_validate({"from": "load.rps", "better": "lower"})}
    (row,) = compare(
        *(Side(f, analysis, {"f": f}, {}, Experiment(metrics=metrics), "run") for f in "ab")
    ).rows
    assert row.outcome == "worse"
    assert "the medians stand the other way round" in row.why


def test_exact_metrics_take_no_part_in_the_correction():
    found = compare(side([100.0], level=1.0), side([200.0], level=1.0))
    assert (found.tests, found.rows[0].p_adjusted, found.rows[0].outcome) == (0, None, "worse")


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
    a, b = (Side(x, analysis, {"f": x}, {}, Experiment(metrics=metrics), "run") for x in "ab")
    (row,) = compare(a, b).rows
    assert row.test == "signs over blocks, max-T"
    assert row.ratio == pytest.approx(1.5)
    assert row.ratio_interval == pytest.approx((1.5, 1.5))


VALUES = st.lists(st.floats(0.5, 2.0), min_size=6, max_size=8)


@given(VALUES, VALUES)
@example([1.0, 1.0, 1.0, 1.0, 2.0, 1.5], [1.0, 1.0, 1.0, 2.0, 1.5, 1.0])
@example([0.5] * 6, [0.5] * 5 + [0.5000000000000001])
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
