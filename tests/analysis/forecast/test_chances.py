"""What plan says of means, quantiles, shares and `never` is what experiments find."""

import math

import numpy as np
import pytest

from runner.analysis.claims.case import CONTRADICTED, REPRODUCED, Case
from runner.analysis.claims.verdict import judge
from runner.analysis.forecast.chance import Chance
from runner.analysis.forecast.chances import Powers, rate_chance, universal_chance
from runner.analysis.model import ClaimResult
from runner.analysis.stats.power import Truth
from runner.analysis.stats.power_more import (
    mean_inside,
    mean_outside,
    rate_inside,
    rate_outside,
)

COUNT = 300


def found(rows, region, which, **more):
    cases = [Case("a", region, values=row, order_effect="x", **more) for row in rows.tolist()]
    return sum(judge(case).verdict == which for case in cases) / len(cases)


def near(said, seen):
    """Within 2 points, and what the simulation is off by itself."""
    return said == pytest.approx(seen, abs=0.02 + 2 * math.sqrt(0.25 / COUNT))


@pytest.mark.parametrize(("n", "half"), [(15, 1.0), (20, 0.8), (30, 0.5)])
def test_a_mean_inside(n, half):
    rows = np.random.default_rng(n).normal(0, 1, (COUNT, n))
    seen = found(rows, (-half, half), REPRODUCED, estimand="mean")
    assert near(mean_inside(n, (-half, half), Truth(0, 1)), seen)


def test_a_mean_outside():
    rows = np.random.default_rng(3).normal(1.2, 1, (COUNT, 20))
    seen = found(rows, (-0.5, 0.5), CONTRADICTED, estimand="mean")
    assert near(mean_outside(20, (-0.5, 0.5), Truth(1.2, 1), 0.0125), seen)


def test_a_mean_of_few_is_never_decided():
    assert mean_inside(14, (-9.0, 9.0), Truth(0, 1)) == 0.0
    assert mean_outside(14, (None, -9.0), Truth(0, 1), 0.025) == 0.0


@pytest.mark.parametrize("share", [0.9, 0.25])
def test_a_quantile_inside_and_outside(share):
    powers = Powers("quantile", share)
    drawn = powers.drawn(0.0, 1.0)
    rows = np.random.default_rng(4).normal(drawn.middle, 1, (COUNT, 60))
    more = {"estimand": "quantile", "quantile": share}
    assert near(powers.inside(60, (-0.5, 0.5), drawn), found(rows, (-0.5, 0.5), REPRODUCED, **more))
    seen = found(rows, (0.3, 0.9), CONTRADICTED, **more)
    assert near(powers.outside(60, (0.3, 0.9), drawn, 0.0125), seen)


@pytest.mark.parametrize(("n", "share"), [(20, 0.1), (50, 0.2)])
def test_a_rate_inside_and_outside(n, share):
    rows = (np.random.default_rng(5).random((COUNT, n)) < share).astype(float)
    seen = found(rows, (0.0, 0.35), REPRODUCED, estimand="rate")
    assert near(rate_inside(n, (0.0, 0.35), share), seen)
    seen = found(rows, (0.4, 0.6), CONTRADICTED, estimand="rate")
    assert near(rate_outside(n, (0.4, 0.6), share, 0.0125), seen)


def result(estimate, n, region=None):
    return ClaimResult("a", "", "", "", "", "", estimate=estimate, n=n, region=region)


def test_never_is_as_likely_as_the_pilot_leaves_it():
    """After 20 clean runs, P(59 more are clean) is Jeffreys' predictive: 59 of 59."""
    said = universal_chance(Chance("a", "", (59, 100), None), 0.05, result(0.0, 20))
    assert said.towards == "reproduced"
    assert said.needed == 59
    by_hand = math.exp(math.lgamma(79.5) - math.lgamma(20.5) + math.lgamma(21) - math.lgamma(80))
    assert said.chance[0] == pytest.approx(by_hand)
    assert said.chance[1] < said.chance[0]
    failed = universal_chance(Chance("a", "", (10, 20), None), 0.05, result(0.25, 20))
    assert failed.towards == "contradicted"
    assert failed.chance[1] > 0.9


def test_a_rate_says_how_many_it_needs():
    said = rate_chance(Chance("a", "", (10, 20), None), result(0.1, 20, (0.0, 0.3)), 1)
    assert said.towards == "reproduced"
    assert said.needed is not None
    assert rate_inside(said.needed, (0.0, 0.3), 0.1) >= 0.8


@pytest.mark.parametrize("estimand", ["mean", "rate"])
def test_what_is_undecided_says_about_how_many_more(estimand):
    if estimand == "mean":
        values = np.random.default_rng(8).normal(0, 1, 15).tolist()
        case = Case("a", (-0.6, 0.6), values=values, estimand="mean")
    else:
        case = Case("a", (0.0, 0.2), values=[1.0, *[0.0] * 11], estimand="rate")
    judged = judge(case)
    assert judged.verdict == "inconclusive"
    assert judged.more is not None
    assert f"about {judged.more} more repetitions would decide" in judged.reason
    assert judged.lean == REPRODUCED
