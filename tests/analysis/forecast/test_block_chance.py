"""The chance that repetitions decide a statement: formulas against simulation."""

import random

import pytest

from runner.analysis.claims.case import CONTRADICTED, REPRODUCED, Case
from runner.analysis.claims.verdict import judge
from runner.analysis.forecast.block_chance import fewest, predicted, statement_chance
from runner.analysis.forecast.chance import Chance

BASE = Chance("1", "a < b", (6, 12), None)


def chance(truths=(), spread=None, base=BASE, *, family=1, exact=False):
    return statement_chance(base, truths, spread, family, exact=exact)


@pytest.mark.parametrize("n", [5, 6, 8, 12, 15])
def test_the_fewest_blocks_are_those_of_the_verdict(n):
    k = fewest(n, 0.05)
    assert held(k, n) == REPRODUCED
    assert held(k - 1, n) != REPRODUCED
    wrong = fewest(n, 0.025)
    if wrong is None:
        assert held(0, n) != CONTRADICTED
    else:
        assert held(n - wrong, n) == CONTRADICTED


def held(true, n):
    """Judge so many of n, the others spread evenly among them."""
    return judge(
        Case("a", truths=[at * true // n != (at + 1) * true // n for at in range(n)])
    ).verdict


def test_prediction_is_that_of_a_simulation():
    """Share drawn from what 5 of 6 leave open, then 12 blocks: 40,000 times."""
    dice = random.Random(1)
    k = fewest(12, 0.05)
    hits = 0
    for _ in range(40_000):
        share = dice.betavariate(5.5, 1.5)
        hits += sum(dice.random() < share for _ in range(12)) >= k
    assert predicted(k, 12, 5, 6) == pytest.approx(hits / 40_000, abs=0.008)


def test_a_pilot_says_how_likely_and_which_way():
    found = chance([True] * 6)
    assert found.towards == "reproduced"
    assert found.chance == (predicted(6, 6, 6, 6), predicted(10, 12, 6, 6))
    assert 0.6 < found.chance[0] < found.chance[1] < 1
    assert "6 of 6 blocks" in found.basis
    other = chance([False] * 6)
    assert other.towards == "contradicted"
    assert other.chance[0] == pytest.approx(predicted(6, 6, 6, 6))
    # beside other claims more blocks have to fail
    assert chance([False] * 6, family=4).chance[0] == 0


def test_an_undecided_pilot_has_a_small_chance():
    found = chance([True, False, True, False, None])
    assert found.chance[1] < 0.5
    assert found.needed is None


def test_a_spread_alone_says_how_far_apart_the_sides_have_to_be():
    """Simulated: at that distance four of five experiments decide."""
    found = chance(spread=0.05)
    assert found.chance is None
    apart = float(found.basis.rpartition("sides are ")[2].split("%")[0]) / 100
    dice = random.Random(2)
    hits = 0
    for _ in range(20_000):
        held = sum(dice.gauss(0, 0.05) < dice.gauss(apart, 0.05) for _ in range(12))
        hits += held >= fewest(12, 0.05)
    assert hits / 20_000 == pytest.approx(0.8, abs=0.02)


def test_exact_metrics_and_too_few_blocks():
    assert chance(exact=True).chance == (1.0, 1.0)
    few = chance([True] * 3, base=Chance("1", "a < b", (3, 3), None))
    assert (few.chance, few.needed) == ((0.0, 0.0), 5)
    assert "at least 5 are needed" in few.warning
