"""An order effect keeps a verdict from being said where it could change it, and only there."""

from __future__ import annotations

import random

import pytest

from runner.analysis.claims.case import CONTRADICTED, INCONCLUSIVE, REPRODUCED, Case
from runner.analysis.claims.verdict import REACH, judge

FALLS = [201_338_000.0 - 128 * at for at in range(8)]
"""Eight servers of 201 MB, each a little smaller than the one before."""


def test_a_kilobyte_of_trend_does_not_hide_that_200_are_not_160_mb():
    found = judge(Case("a", (128e6, 192e6), unit="MB", values=FALLS))
    assert found.verdict == CONTRADICTED
    assert "values fall in run order (tau = -1.00" in found.reason
    assert f"by no more than 896 B: {REACH} times that changes nothing" in found.reason
    assert found.order is not None
    assert found.order.found


@pytest.mark.parametrize(
    ("region", "verdict"),
    [
        ((None, 79.9), CONTRADICTED),  # three ranges below the interval's low end is 80
        ((None, 80.0), INCONCLUSIVE),
        ((127.1, None), CONTRADICTED),
        ((126.9, None), INCONCLUSIVE),
        ((80.0, 127.0), REPRODUCED),
        ((80.1, 140.0), INCONCLUSIVE),
        ((70.0, 126.9), INCONCLUSIVE),
        ((None, 140.0), REPRODUCED),
    ],
)
def test_three_ranges_decide(region, verdict):
    values = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0]
    found = judge(Case("a", region, values=values))
    assert found.interval == (101.0, 106.0)
    assert found.verdict == verdict
    assert "in run order" in found.reason


def test_a_statement_far_from_its_edge_stands():
    """Of differences, as of numbers."""
    far = Case("a", region=(None, 0.0), values=[-900.0 + at for at in range(8)], truths=[True] * 8)
    near = Case("a", region=(None, 0.0), values=[-9.0 + at for at in range(8)], truths=[True] * 8)
    assert [judge(one).verdict for one in (far, near)] == [REPRODUCED, INCONCLUSIVE]


def test_shares_and_bounds_are_not_let_pass():
    """A range of values says nothing of a share; what is only a bound has no range."""
    never = Case("a", values=[0.0] * 30 + [0.0] * 30, estimand="never", bound=0.05)
    assert judge(never).verdict == REPRODUCED  # no order in what never moves
    sides = ["above"] * 3 + [""] * 9
    values = [50.0] * 3 + [20.0 - 0.01 * at for at in range(9)]
    found = judge(Case("a", (None, 1.0), values=values, censored=sides))
    assert found.verdict == INCONCLUSIVE
    assert "fall in run order" in found.reason


@pytest.mark.parametrize(("rho", "n"), [(0.5, 30), (0.7, 20), (0.9, 8), (0.9, 20)])
def test_series_that_wander_are_let_pass_as_good_as_never(rho, n):
    """The true median is on the edge: whatever is said is false, and at most 2 % are let pass."""
    told = random.Random(f"{rho} {n}")
    passed = 0
    for _ in range(400):
        x = [told.gauss(0, 1)]
        while len(x) < n:
            x.append(rho * x[-1] + (1 - rho**2) ** 0.5 * told.gauss(0, 1))
        found = judge(Case("a", (None, 0.0), values=x))
        said = found.verdict in (REPRODUCED, CONTRADICTED)
        passed += said and found.order is not None and found.order.found
    assert passed <= 0.02 * 400
