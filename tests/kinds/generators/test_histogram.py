"""Percentiles from a histogram are those of the requests, in both views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.kinds.generators.histogram import added, latency_numbers
from tests.kinds.generators.counts import histogram

LATENCIES = st.lists(st.integers(1, 5000), min_size=1, max_size=60)


def filled(micros, interval: float) -> list[float]:
    """wrk's stats_correct, written out."""
    found = [float(m) for m in micros]
    for value in micros:
        if value < 2 * interval:
            continue
        more = value - interval
        while more > interval + 1e-9:
            found.append(more)
            more -= interval
    return sorted(found)


@given(LATENCIES, st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_quantile(micros, q):
    expected = np.quantile(micros, q, method="inverted_cdf")
    assert histogram(micros).quantile(q) * 1e6 == pytest.approx(expected)


@settings(deadline=None)
@given(LATENCIES, st.sampled_from([0.5, 0.9, 0.99]), st.integers(20, 3000))
def test_corrected_view_is_brute_force(micros, q, interval):
    every = filled(micros, interval)
    found = histogram(micros)
    expected = np.quantile(every, q, method="inverted_cdf")
    assert found.corrected_quantile(q, interval / 1e6) * 1e6 == pytest.approx(expected, abs=1e-3)
    assert found.corrected_mean(interval / 1e6) * 1e6 == pytest.approx(np.mean(every))


@given(LATENCIES, LATENCIES)
def test_added_is_the_histogram_of_all(one, other):
    both = added([histogram(one), histogram(other)])
    whole = histogram(one + other)
    assert both.n == whole.n
    assert both.quantile(0.9) == pytest.approx(whole.quantile(0.9))
    assert both.mean == pytest.approx(whole.mean)
    assert (both.min_s, both.max_s) == (whole.min_s, whole.max_s)


def test_stall_shows_in_the_corrected_view_and_littles_law():
    """One connection, 1 ms each, and one stall of a second: raw p99 does not see it."""
    micros = [1000] * 999 + [1_000_000]
    seconds = sum(micros) / 1e6
    numbers = latency_numbers(histogram(micros), 1, seconds)
    assert numbers["latency_raw_p99"] == pytest.approx(0.001)
    assert numbers["latency_corrected_p99"] > 0.9
    assert numbers["littles_law"] == pytest.approx(1.0)
    assert numbers["littles_law_corrected"] > 50
