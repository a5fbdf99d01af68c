"""Rank tests, Holm, equivalence, paired blocks."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from runner.analysis.stats.intervals import Interval, median_interval
from runner.analysis.stats.significance import (
    equivalent,
    holm,
    mann_whitney,
    outcome,
    paired,
    sign_p,
)

small = st.lists(st.integers(0, 1000), min_size=1, max_size=10)


def around(low, high):
    return Interval((low + high) / 2, low, high, 0.9, 6, "")


@given(small, small)
def test_exact_u_is_a_permutation_test(a, b):
    """With ties too: the share of all relabellings at least as far out, doubled."""
    found = mann_whitney(a, b)
    assert found.u == stats.mannwhitneyu(a, b).statistic
    if len({*a, *b}) == len(a) + len(b):
        assert found.method == "exact"
        assert found.p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)


@pytest.mark.parametrize(("a", "b"), [([1, 1, 2, 3], [2, 2, 3, 5, 5]), ([1, 1, 1], [1, 2, 2, 2])])
def test_ties_are_counted_exactly(a, b):
    from itertools import combinations

    pooled = [*a, *b]
    ranks = stats.rankdata(pooled)
    mine = sum(ranks[: len(a)])
    sums = [sum(ranks[list(choice)]) for choice in combinations(range(len(pooled)), len(a))]
    below = np.mean([s <= mine + 1e-9 for s in sums])
    above = np.mean([s >= mine - 1e-9 for s in sums])
    found = mann_whitney(a, b)
    assert found.method == "exact with ties"
    assert found.p == pytest.approx(min(1, 2 * min(below, above)))


@pytest.mark.parametrize("ties", [False, True])
def test_large_samples_agree_with_scipy(ties):
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1, 60), rng.normal(0.3, 1, 70)
    if ties:
        a, b = a.round(1), b.round(1)
    found = mann_whitney(list(a), list(b))
    other = stats.mannwhitneyu(a, b, method="asymptotic")
    assert found.method == "normal"
    assert found.u == other.statistic
    assert found.p == pytest.approx(other.pvalue)


def test_benchstat_example():
    """Samples of 10 without overlap: benchstat prints p=0.000 n=10; 5 against 5 p=0.008."""
    assert round(mann_whitney(range(10), range(20, 30)).p, 3) == 0.000
    assert round(mann_whitney(range(5), range(10, 15)).p, 3) == 0.008
    assert mann_whitney(range(3), range(10, 13)).p == pytest.approx(0.1)


def test_nothing_to_test():
    assert mann_whitney([], [1]).p == 1
    assert math.isnan(mann_whitney([], [1]).u)
    assert mann_whitney([2, 2], [2, 2, 2]).p == 1


@given(small, small)
def test_u_is_symmetric(a, b):
    one, other = mann_whitney(a, b), mann_whitney(b, a)
    assert one.u + other.u == len(a) * len(b)
    assert one.p == pytest.approx(other.p)


@given(st.integers(1, 60), st.integers(0, 60))
def test_sign_test_agrees_with_scipy(n, successes):
    expected = stats.binomtest(min(successes, n), n, alternative="greater").pvalue
    if successes <= n:
        assert sign_p(successes, n) == pytest.approx(expected)


def test_holm_by_hand():
    """Holm's own order: 0.01 * 4, then 0.02 * 3, 0.03 * 2 raised to it, 0.5."""
    found = holm({"a": 0.03, "b": 0.01, "c": 0.5, "d": 0.02})
    assert found == pytest.approx({"a": 0.06, "b": 0.04, "c": 0.5, "d": 0.06})


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=12))
def test_holm_never_below_raw_and_never_above_bonferroni(p):
    found = holm(p)
    assert list(found) == list(p)
    for name, value in p.items():
        assert value <= found[name] <= min(1, value * len(p)) + 1e-12


@given(
    st.lists(st.floats(-2, 2), min_size=5, max_size=30, unique=True),
    st.floats(-3, 0, exclude_max=True),
    st.floats(0, 3, exclude_min=True),
)
def test_equivalence_is_two_one_sided_sign_tests_of_scipy(values, low, high):
    """The 90 % interval lies inside where each side is rejected at 5 %."""
    assume(low not in values and high not in values)

    def p(above):
        return stats.binomtest(above, len(values), alternative="greater").pvalue

    both = p(sum(v > low for v in values)) <= 0.05 and p(sum(v < high for v in values)) <= 0.05
    assert equivalent(median_interval(values, 0.90), low, high) == both


def test_equivalence_needs_the_whole_interval():
    assert equivalent(around(0.98, 1.01), 0.95, 1.05)
    assert not equivalent(around(0.90, 1.01), 0.95, 1.05)
    assert equivalent(around(0.90, 1.01), None, 1.05)
    assert not equivalent(None, 0.95, 1.05)


def test_paired_ratio_cancels_the_block():
    blocks = [1.0, 5.0, 0.2, 3.0, 8.0, 2.0]
    found = paired(blocks, [2 * block for block in blocks])
    assert found.interval.bounds == pytest.approx((2, 2))
    assert found.n == 6


def test_paired_drops_incomplete_blocks_and_says_so():
    found = paired([1, 2, None, 4, 0], [2, 4, 6, None, 1])
    assert (found.n, found.dropped, found.interval) == (2, 3, None)
    assert "2 complete blocks" in found.why
    with pytest.raises(ValueError, match="cannot be paired"):
        paired([1], [1, 2])


def test_paired_difference_keeps_zero():
    found = paired([0, 0, 0, 0, 0], [1, 2, 3, 4, 5], ratio=False)
    assert found.interval == median_interval([1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    ("interval", "better", "expected"),
    [
        (around(0.99, 1.01), "higher", "equivalent"),
        (around(1.10, 1.20), "higher", "better"),
        (around(1.10, 1.20), "lower", "worse"),
        (around(0.80, 0.90), "lower", "better"),
        (around(0.80, 0.90), None, "changed"),
        (around(0.90, 1.20), "higher", "undecided"),
        (around(1.01, 1.02), "higher", "equivalent"),  # real, and too small to matter
        (None, "higher", "undecided"),
    ],
)
def test_outcome(interval, better, expected):
    assert outcome(interval, 0.05, better) == expected
