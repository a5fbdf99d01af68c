"""Spread between and within groups: the textbook's numbers, and intervals that cover."""

import math
import random
import statistics

import pytest

from runner.analysis.stats.components import spread


def test_by_hand():
    """Means 2 and 6, three values each, 1 apart: MSE = 1, MSB = 3·8 = 24, s² = 23/3."""
    found = spread([[1, 2, 3], [5, 6, 7]])
    assert found.within == pytest.approx(1)
    assert found.between == pytest.approx(math.sqrt(23 / 3))
    assert found.mean == 4
    low, high = found.within_interval  # 4 degrees of freedom: chi-squared 0.711 and 9.488
    assert (low, high) == pytest.approx((math.sqrt(4 / 9.488), math.sqrt(4 / 0.7107)), rel=1e-3)


@pytest.mark.parametrize("groups", [[[1, 2, 3]], [[1], [2]], [], [[], [1, 2]]])
def test_nothing_is_said_of_one_group_or_of_one_value_in_each(groups):
    assert spread(groups) is None


def test_groups_that_are_alike_have_no_spread_between_them():
    found = spread([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    assert found.between == 0
    assert found.between_interval[0] == 0


@pytest.mark.parametrize(
    ("sizes", "between"), [((6, 6, 6, 6), 1.0), ((3, 6, 9, 4, 5), 0.5), ((4,) * 8, 0.0)]
)
def test_intervals_cover_as_often_as_they_say(sizes, between):
    """Of 90 %: of 1,500 draws at least 87 %, whatever the sizes of the groups."""
    rng = random.Random(1)
    hit = {"between": 0, "within": 0}
    draws = 1500
    for _ in range(draws):
        groups = []
        for size in sizes:
            own = rng.gauss(0, between)
            groups.append([own + rng.gauss(0, 1) for _ in range(size)])
        found = spread(groups)
        hit["between"] += found.between_interval[0] <= between <= found.between_interval[1]
        hit["within"] += found.within_interval[0] <= 1 <= found.within_interval[1]
    assert min(hit.values()) / draws > 0.87, hit


def test_two_groups_leave_the_upper_end_far_away():
    """Two boards say next to nothing of the next one, and the interval says so."""
    groups = [[10, 11, 12, 13], [11, 12, 13, 14]]
    high = spread(groups).between_interval[1]
    assert high > 5 * statistics.stdev([11.5, 12.5])
