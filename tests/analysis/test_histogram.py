"""Percentiles come from merged counts."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.histogram import Histogram, edges, merge, of, percentile, percentile_of

AT = edges(1e-4, 10, 0.01)
latencies = st.lists(st.floats(1e-4, 10), min_size=1, max_size=60)
share = st.sampled_from([0, 0.5, 0.9, 0.99, 0.999, 1])


@given(st.lists(latencies, min_size=1, max_size=5), share)
def test_merged_percentile_is_that_of_all_values(runs, q):
    together = [value for run in runs for value in run]
    found = percentile(merge([of(run, AT) for run in runs]), q)
    true = np.percentile(together, 100 * q, method="inverted_cdf")
    assert found.low <= true <= found.high
    assert found.high / found.low - 1 <= 0.0101
    assert percentile_of(together, q) == true
    assert found.n == len(together)


def test_average_of_percentiles_is_wrong():
    """A slow run of 1 % of the requests: p99 of all is fast, the mean of the p99s is not."""
    fast, slow = [0.001] * 9900, [1.0] * 100
    whole = percentile(merge([of(fast, AT), of(slow, AT)]), 0.99).value
    averaged = statistics.fmean([percentile_of(fast, 0.99), percentile_of(slow, 0.99)])
    assert whole == pytest.approx(0.001, rel=0.011)
    assert averaged > 0.5


@given(latencies, latencies)
def test_merging_is_adding(a, b):
    assert merge([of(a, AT), of(b, AT)]) == of(a + b, AT)


def test_values_off_the_edges_have_no_bound():
    found = of([0.5, 1.0, 2.0, 9.0], (1.0, 2.0, 4.0))
    assert (found.below, found.counts, found.above) == (1, (2, 0), 1)
    assert percentile(found, 1.0).value is None
    assert "above" in percentile(found, 1.0).why
    assert percentile(found, 0.1).high == 1.0
    assert "below" in percentile(found, 0.1).why


def test_nothing_is_no_percentile():
    assert percentile(of([], AT), 0.5).value is None
    assert percentile_of([], 0.5) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Histogram((1, 2), (1, 2)),
        lambda: Histogram((2, 1), (1,)),
        lambda: Histogram((1, 2), (-1,)),
        lambda: merge([]),
        lambda: merge([Histogram((1, 2), (1,)), Histogram((1, 3), (1,))]),
        lambda: percentile(Histogram((1, 2), (1,)), 99),
        lambda: edges(0, 1),
    ],
)
def test_refused(make):
    with pytest.raises(ValueError):
        make()
