"""Comparisons of values that are only bounds: never a ratio as if they were known."""

from __future__ import annotations

import random

import pytest

from runner.analysis.claims.estimates import estimates
from runner.analysis.model import Analysis, Step, Trial
from runner.analysis.runs.comparison import compare
from runner.analysis.runs.side import Side
from runner.spec.experiment import Experiment
from runner.spec.metrics import Metric

METRIC = {"m": Metric.model_validate({"from": "workload.wall", "better": "lower"})}


def trial(number, how, wall, limit):
    late = wall >= limit
    numbers = {"workload.wall": min(wall, limit), "workload.timed_out": int(late)}
    outcome = "unhealthy" if late else "healthy"
    step = Step(0, "idle", None, 0.0, 1.0, outcome, (), numbers, {})
    return Trial(f"{how}-r{number}-a1", "h", {"how": how}, number, 1, outcome, "", float(number),
                 (step,))  # fmt: skip


def row(a, b, *, limit=60.0, other=None, run="one"):
    """Compare wall times of which those from the limit on were not awaited."""
    trials = [trial(n, "a", wall, limit) for n, wall in enumerate(a, 1)]
    trials += [trial(n, "b", wall, other or limit) for n, wall in enumerate(b, 1)]
    analysis = Analysis(tuple(trials), estimates=estimates(METRIC, trials, None))
    sides = [Side(how, analysis, {"how": how}, {}, Experiment(metrics=METRIC), run or how)
             for how in "ab"]  # fmt: skip
    (found,) = compare(*sides).rows
    return found


FAST = [5.0, 5.1, 4.9, 5.05, 4.95, 5.02, 5.01, 4.98]
LATE = [99.0] * 8


@pytest.mark.parametrize("run", ["one", ""])
def test_a_side_that_never_ended_is_worse_by_at_least_so_much(run):
    found = row(FAST, LATE, run=run)
    assert (found.outcome, found.ratio, found.shown) == ("worse", None, ("5.00 s", "≥ 60.0 s"))
    assert "b / a is at least 1" in found.why
    assert "8 of 8 ran out of wall time" in found.why


def test_two_sides_that_never_ended_are_not_equivalent():
    """Both took 60 s: nothing is known of either."""
    found = row(LATE, LATE)
    assert (found.outcome, found.ratio, found.ratio_interval) == ("undecided", None, None)


def test_sides_of_other_limits_are_held_to_the_lower_one():
    """Stopped at 60 s and at 10 s: that is no difference of the programs."""
    assert row(LATE, LATE, other=10.0).outcome == "undecided"


def test_few_late_ones_leave_the_ratio_known():
    found = row(FAST, [10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 9.95, 99.0])
    assert (found.outcome, found.shown[1]) == ("worse", "10.0 s")
    assert found.ratio_interval is not None
    assert found.ratio_interval[0] > 1.9


def test_no_difference_is_found_by_chance_alone():
    """Half of all values beyond the limit: at most one comparison in twenty finds a difference."""
    told = random.Random(4)
    found = 0
    for _ in range(400):
        a, b = ([told.lognormvariate(4.09, 1.0) for _ in range(8)] for _ in range(2))
        outcome = row(a, b, run=told.choice(["one", ""])).outcome
        assert outcome != "better" or min(a) < 60.0
        found += outcome in ("better", "worse")
    assert found <= 0.05 * 400 + 3 * (400 * 0.05 * 0.95) ** 0.5
