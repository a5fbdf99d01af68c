"""Logs of single requests become histograms that say the same."""

import base64
import json
import random
import zlib

from hypothesis import given
from hypothesis import strategies as st

from runner.host.sample import request_log


def nothing():
    return None


def pairs(found):
    return json.loads(zlib.decompress(base64.b64decode(found["histogram"])))


@given(st.integers(0, 10**12))
def test_bucket_is_near_and_its_own(value):
    """Off by at most 0.05 %, exact below 4096, and stable."""
    place = request_log.bucket(value)
    assert abs(place - value) <= value / 2000
    assert value >= 4096 or place == value or value >= 2048
    assert request_log.bucket(place) == place


def test_sums_are_those_of_the_log(tmp_path, monkeypatch):
    """Whatever the pieces that it is read in."""
    monkeypatch.setattr(request_log, "READ_BYTES", 1000)
    rng = random.Random(1)
    rows = [(10**15 + i, rng.choice([200, 200, 503, -1]), int(rng.expovariate(1e-4)))
            for i in range(5000)]  # fmt: skip
    path = tmp_path / "log"
    path.write_text("".join(f"{a}\t{b}\t{c}\n" for a, b, c in rows) + "1700000000000000\t20")
    found = request_log.summarise(str(path), nothing)
    good = [c for _, status, c in rows if status != -1]
    assert found["rows"] == 5000
    assert found["statuses"] == {str(k): sum(b == k for _, b, _ in rows) for k in (200, 503, -1)}
    assert (found["sum_us"], found["min_us"], found["max_us"]) == (sum(good), min(good), max(good))
    assert sum(many for _, many in pairs(found)) == len(good)
    assert len(found["histogram"]) < 40_000


def test_missing_empty_and_odd_logs(tmp_path):
    assert "No such file" in request_log.summarise(str(tmp_path / "none"), nothing)["why"]
    path = tmp_path / "log"
    path.write_text("")
    assert request_log.summarise(str(path), nothing)["max_us"] is None
    path.write_text("nonsense\n1\t200\tx\n1\t200\t7\n")
    found = request_log.summarise(str(path), nothing)
    assert (found["rows"], found["bad"], pairs(found)) == (1, 2, [[7, 1]])


def test_requests_by_the_second(tmp_path):
    """From the first second to the last, with those in which nothing began."""
    path = tmp_path / "log"
    starts = [1_700_000_000_999_999, 1_700_000_001_000_000, 1_700_000_001_500_000,
              1_700_000_003_000_001]  # fmt: skip
    path.write_text("".join(f"{start}\t200\t10\n" for start in starts) + "half a li")
    assert request_log.summarise(str(path), nothing)["per_s"] == [1, 2, 0, 1]
    path.write_text("")
    assert request_log.summarise(str(path), nothing)["per_s"] is None
