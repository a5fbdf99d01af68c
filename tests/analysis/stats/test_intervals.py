"""Intervals: their levels, agreement with scipy, and what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.analysis.stats.intervals import (
    bca,
    median_interval,
    order_level,
    order_rank,
    shift,
    smallest_n,
)

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=5, max_size=40)


def test_five_values_for_90_percent_and_six_for_95():
    assert smallest_n(0.90) == 5
    assert smallest_n(0.95) == 6
    assert median_interval([1, 2, 3, 4], 0.90) is None
    assert median_interval([1, 2, 3, 4, 5], 0.95) is None


def test_levels_are_those_of_the_binomial():
    """Conover's table: n = 5 gives 93.75 %, n = 8 from the 2nd to the 7th 92.97 %."""
    assert median_interval([5, 1, 3, 2, 4]).level == 0.9375
    found = median_interval(list(range(1, 9)))
    assert found.bounds == (2, 7)
    assert found.level == pytest.approx(0.9296875)


@given(st.integers(5, 200), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_rank_agrees_with_scipy(n, level):
    rank = order_rank(n, level)
    if rank == 0:
        assert 1 - 2 * stats.binom.cdf(0, n, 0.5) < level
        return
    assert order_level(n, rank) == pytest.approx(1 - 2 * stats.binom.cdf(rank - 1, n, 0.5))
    assert order_level(n, rank) >= level > order_level(n, rank + 1)


@given(values)
def test_median_interval_holds_the_median_and_mirrors(data):
    found = median_interval(data)
    assert found.low <= found.estimate <= found.high
    mirrored = median_interval([-value for value in data])
    assert mirrored.bounds == (-found.high, -found.low)


@given(values, st.randoms())
def test_order_of_values_does_not_matter(data, rng):
    other = list(data)
    rng.shuffle(other)
    assert median_interval(other) == median_interval(data)


@given(values)
def test_higher_level_is_never_narrower(data):
    narrow, wide = median_interval(data, 0.90), median_interval(data, 0.95)
    assert wide is None or (wide.low <= narrow.low and wide.high >= narrow.high)


def test_half_width_is_relative_and_undefined_around_zero():
    assert median_interval([98, 99, 100, 101, 102]).half_width == pytest.approx(0.02)
    assert median_interval([-2, -1, 0, 1, 2]).half_width is None
    assert median_interval([0, 0, 0, 0, 0]).half_width == 0.0


@pytest.mark.parametrize(("m", "n"), [(4, 5), (6, 6), (10, 7), (60, 55)])
def test_shift_interval_is_mann_whitney_turned_around(m, n):
    rng = np.random.default_rng(m * n)
    a, b = rng.normal(0, 1, m), rng.normal(2, 1, n)
    found = shift(list(a), list(b), 0.90)
    method = "exact" if max(m, n) <= 50 else "asymptotic"
    eps = 1e-9
    near = 0.005 if method == "asymptotic" else eps
    for edge, inward in ((found.low, eps), (found.high, -eps)):
        inside = stats.mannwhitneyu(b - (edge + inward), a, method=method).pvalue
        outside = stats.mannwhitneyu(b - (edge - inward), a, method=method).pvalue
        assert inside > 1 - found.level - near
        assert outside <= 1 - found.level + near


def test_shift_estimates():
    assert shift([1, 2], [4, 8], 0.5).estimate == pytest.approx(4.5)
    assert shift([], [1], 0.5) is None


@pytest.mark.parametrize("name", ["mean", "median", "std"])
@pytest.mark.parametrize("n", [15, 30])
def test_bca_agrees_with_scipy(name, n):
    data = np.random.default_rng(n).lognormal(0, 0.5, n)
    statistic = {
        "mean": lambda x: np.mean(x, axis=-1),
        "median": lambda x: np.median(x, axis=-1),
        "std": lambda x: np.std(x, axis=-1, ddof=1),
    }[name]
    mine = bca(list(data), statistic, np.random.default_rng(1), 0.90, 20_000, expand=False)
    other = stats.bootstrap(
        (data,), statistic, n_resamples=20_000, confidence_level=0.90, method="BCa",
        axis=-1, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    width = other.high - other.low
    assert mine.low == pytest.approx(other.low, abs=0.05 * width)
    assert mine.high == pytest.approx(other.high, abs=0.05 * width)


def test_bca_expanded_is_wider():
    data = list(np.random.default_rng(5).normal(0, 1, 15))

    def width(expand):
        found = bca(data, lambda x: np.mean(x, axis=-1), np.random.default_rng(0), expand=expand)
        return found.high - found.low

    assert width(True) > 1.05 * width(False)


@pytest.mark.parametrize("sigma", [0.25, 1.0])
def test_bca_covers_the_mean_of_skewed_values(sigma):
    """600 samples of 20 log-normal values: 90 % intervals hold the mean in 89 % at least."""
    rng = np.random.default_rng(20261123)
    rows = rng.lognormal(0, sigma, (600, 20))
    found = [bca(row, lambda x: np.mean(x, axis=-1), rng, 0.90, 499) for row in rows]
    held = np.mean([i.low <= math.exp(sigma**2 / 2) <= i.high for i in found])
    assert held >= 0.89


def test_bca_of_constant_and_of_nothing():
    def mean(x):
        return np.mean(x, axis=-1)

    assert bca([4.0] * 15, mean, np.random.default_rng(0)).bounds == (4.0, 4.0)
    assert bca([1.0, 2.0] * 7, mean, np.random.default_rng(0)) is None
