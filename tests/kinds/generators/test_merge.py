"""Numbers of several generators: sums, and never an average of percentiles."""

from __future__ import annotations

import pytest

from runner.kinds.generators.interface import LoadNumbers
from runner.kinds.generators.merge import merged
from tests.kinds.generators.counts import histogram


def part(requests: int, *, errors: int = 0, mean: float = 0.001, micros=None) -> LoadNumbers:
    attempts = requests + errors
    numbers = {
        "requests": requests, "duration_s": 2.0, "rps": requests / 2, "opened": 4,
        "errors": errors, "errors.read": errors, "error_ratio": errors / attempts,
        "latency_mean": mean, "latency_max": mean * 9, "latency_min": mean / 2,
        "latency_p99": mean * 5,
    }  # fmt: skip
    return LoadNumbers(numbers, histogram=histogram(micros) if micros else None)


def test_one_part_is_itself():
    one = part(100)
    assert merged([one], 4) is one


def test_sums_and_means():
    found = merged([part(300, mean=0.001), part(100, errors=100, mean=0.003)], 8)
    numbers = found.numbers
    assert (numbers["requests"], numbers["rps"], numbers["opened"]) == (400, 200, 8)
    assert numbers["errors.read"] == 100
    assert numbers["error_ratio"] == pytest.approx(0.2)
    assert numbers["latency_mean"] == pytest.approx(0.0015)
    assert numbers["littles_law"] == pytest.approx(0.0015 / (8 / 200))
    assert numbers["latency_max"] == pytest.approx(0.027)
    assert numbers["latency_p99"] is None
    assert "cannot be merged" in found.why["latency_p99"]


def test_percentiles_come_from_the_sum_of_histograms():
    one, other = [100] * 90 + [9000] * 10, [200] * 100
    found = merged([part(100, micros=one), part(100, micros=other)], 8)
    assert found.numbers["latency_raw_p50"] == pytest.approx(200e-6)
    assert found.numbers["latency_p95"] == pytest.approx(200e-6)
    assert found.numbers["latency_p99"] == pytest.approx(9e-3)
    assert found.why == {}


def test_one_failed_generator_fails_the_load():
    assert merged([part(1), LoadNumbers(error="wrk exited 1: no")], 2).error == "wrk exited 1: no"
