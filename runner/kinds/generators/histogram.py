"""Latencies of all requests as a histogram: percentiles, both views, sums of several.

The raw view is what clients saw. The corrected view adds, for a request slower than
its connection's mean interval, the requests that a steady client would have sent
meanwhile (HdrHistogram's `recordValueWithExpectedInterval`, as wrk's `stats_correct`
applies it). Source of the rule: wrk 4.1 `src/stats.c`.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from runner.records.trial_events import RequestLog

    Values = NDArray[np.float64]

MOST_BYTES: Final = 16 << 20
"""A histogram of 50 buckets a power of ten has less than a thousandth of it."""
QUANTILES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999,
                    "p9999": 0.9999}  # fmt: skip


@dataclass(frozen=True)
class Histogram:
    """Latencies in seconds, rising, and how many requests had each."""

    values: Values
    counts: Values
    sum_s: float
    min_s: float
    max_s: float

    @property
    def n(self) -> int:
        """Requests in all."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Mean of the true latencies, not of the histogram's parts."""
        return self.sum_s / self.n

    def quantile(self, q: float) -> float:
        """Smallest latency that at least the share `q` of the requests did not exceed."""
        rank = np.searchsorted(np.cumsum(self.counts), q * self.n - 1e-9)
        value = float(self.values[min(int(rank), len(self.values) - 1)])
        return min(max(value, self.min_s), self.max_s)

    def filled(self, interval_s: float) -> Values:
        """How many requests the corrected view adds for each request of each part."""
        if interval_s <= 0:
            return np.zeros_like(self.values)
        # added are v − j·interval for j = 1, 2, … while above the interval
        many: Values = np.maximum(np.ceil(self.values / interval_s - 1 - 1e-12) - 1, 0.0)
        return many

    def corrected_quantile(self, q: float, interval_s: float) -> float:
        """Quantile of the corrected view, without ever writing it out."""
        many = self.filled(interval_s)
        total = float((self.counts * (1 + many)).sum())

        def below(x: float) -> float:
            own = self.values <= x
            if interval_s <= 0:
                return float((self.counts * own).sum())
            first = np.maximum(np.ceil((self.values - x) / interval_s - 1e-12), 1.0)
            return float((self.counts * (own + np.maximum(many - first + 1, 0.0))).sum())

        low, high = 0.0, float(self.values[-1])
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if below(middle) >= q * total - 1e-9 else (middle, high)
        return min(high, self.max_s)

    def corrected_mean(self, interval_s: float) -> float:
        """Mean of the corrected view."""
        many = self.filled(interval_s)
        sums = many * self.values - interval_s * many * (many + 1) / 2
        total = float((self.counts * (1 + many)).sum())
        return (self.sum_s + float((self.counts * sums).sum())) / total


def decode(log: RequestLog | None) -> Histogram | None:
    """Read what the host made of a log.

    None where there is no answered request, and where what came is not a histogram: it is
    a host's word, and of bounded size.
    """
    if log is None or not log.histogram or log.min_us is None or log.max_us is None:
        return None
    unpack = zlib.decompressobj()
    try:
        text = unpack.decompress(base64.b64decode(log.histogram), MOST_BYTES)
        pairs = np.array([] if unpack.unconsumed_tail else json.loads(text), dtype=float)
    except (zlib.error, ValueError, TypeError, RecursionError):
        return None
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.isfinite(pairs).all():
        return None
    return Histogram(
        pairs[:, 0] / 1e6,
        pairs[:, 1],
        log.sum_us / 1e6,
        log.min_us / 1e6,
        log.max_us / 1e6,
    )


def added(parts: Sequence[Histogram]) -> Histogram:
    """Add histograms of several generators: the only way in which percentiles may be merged."""
    values, where = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
    counts = np.bincount(where, weights=np.concatenate([part.counts for part in parts]))
    return Histogram(
        values,
        counts.astype(np.float64),
        sum(part.sum_s for part in parts),
        min(part.min_s for part in parts),
        max(part.max_s for part in parts),
    )


def latency_numbers(
    histogram: Histogram, connections: int, seconds: float
) -> dict[str, float | int | None]:
    """Both views and Little's law: mean ÷ (connections ÷ throughput), 1 in a closed loop."""
    interval = connections * seconds / histogram.n
    numbers: dict[str, float | int | None] = {}
    for name, q in QUANTILES.items():
        raw = histogram.quantile(q)
        numbers[f"latency_{name}"] = numbers[f"latency_raw_{name}"] = raw
        numbers[f"latency_corrected_{name}"] = histogram.corrected_quantile(q, interval)
    corrected_mean = histogram.corrected_mean(interval)
    for name, value in (
        ("mean", histogram.mean),
        ("min", histogram.min_s),
        ("max", histogram.max_s),
    ):
        numbers[f"latency_{name}"] = numbers[f"latency_raw_{name}"] = value
    numbers["latency_corrected_mean"] = corrected_mean
    numbers["latency_corrected_max"] = histogram.max_s
    if interval > 0:
        numbers["littles_law"] = histogram.mean / interval
        numbers["littles_law_corrected"] = corrected_mean / interval
    return numbers


def meant_numbers(histogram: Histogram) -> dict[str, float | int | None]:
    """Latencies that already count from the intended start: true and corrected are one."""
    whole = {name: histogram.quantile(q) for name, q in QUANTILES.items()}
    whole |= {"mean": histogram.mean, "min": histogram.min_s, "max": histogram.max_s}
    return {
        f"latency_{view}{name}": value
        for name, value in whole.items()
        for view in ("", "corrected_")
    }
