"""Percentiles of merged histograms; percentiles themselves are never averaged.

The 99th percentile of two runs lies anywhere between their own, whatever the
mean of those two says: only counts can be added (Tene, “How NOT to Measure
Latency”, 2013; Prometheus documentation, “Histograms and summaries”).
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Histogram:
    """Counts of values: bucket i holds (edges[i], edges[i + 1]], the first its low edge too."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int = 0
    """Values under the first edge."""
    above: int = 0
    """Values over the last edge."""

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1:
            raise ValueError(f"{len(self.counts)} buckets need {len(self.counts) + 1} edges")
        if any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges have to rise")
        if min((*self.counts, self.below, self.above), default=0) < 0:
            raise ValueError("counts cannot be negative")

    @property
    def total(self) -> int:
        """Every value, those off the edges too."""
        return sum(self.counts) + self.below + self.above


@dataclass(frozen=True)
class Percentile:
    """A percentile, known to the width of its bucket."""

    share: float
    low: float | None
    high: float | None
    """None where it lies off the edges: there it has no bound."""
    n: int
    why: str = ""

    @property
    def value(self) -> float | None:
        """Give the upper edge: at most a bucket too high, never too low."""
        return self.high


def edges(low: float, high: float, error: float = 0.01) -> tuple[float, ...]:
    """Make geometric edges: every percentile is then right within `error`, relative.

    The idea of HdrHistogram and DDSketch (Masson, Rim, Lee 2019, VLDB 12, 2195-2205).
    """
    if not 0 < low < high or error <= 0:
        raise ValueError("edges need 0 < low < high and an error above 0")
    count = math.ceil(math.log(high / low) / math.log1p(error))
    return tuple(low * (high / low) ** (i / count) for i in range(count + 1))


def of(values: Iterable[float], at: Sequence[float]) -> Histogram:
    """Count values into buckets with these edges."""
    counts = [0] * (len(at) - 1)
    below = above = 0
    for value in values:
        index = bisect.bisect_left(at, value)
        if value < at[0]:
            below += 1
        elif value > at[-1]:
            above += 1
        else:
            counts[max(0, index - 1)] += 1
    return Histogram(tuple(at), tuple(counts), below, above)


def merge(histograms: Sequence[Histogram]) -> Histogram:
    """Add the counts of runs, generators or hosts; ValueError for edges that differ."""
    if not histograms:
        raise ValueError("there is no histogram to merge")
    first = histograms[0]
    if any(other.edges != first.edges for other in histograms):
        raise ValueError("histograms with different edges cannot be merged")
    return Histogram(
        first.edges,
        tuple(sum(counts) for counts in zip(*(h.counts for h in histograms), strict=True)),
        sum(h.below for h in histograms),
        sum(h.above for h in histograms),
    )


def percentile(histogram: Histogram, share: float) -> Percentile:
    """Find the bucket of the value with rank ⌈share · n⌉.

    Nearest rank: Hyndman and Fan 1996, The American Statistician 50, 361-365,
    definition 1; it is a value that occurred, as a percentile of latency should be.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"{share} is no share: give 0.99 for the 99th percentile")
    n = histogram.total
    if n == 0:
        return Percentile(share, None, None, 0, "no values")
    rank = max(1, math.ceil(round(share * n, 9)))
    seen = histogram.below
    if rank <= seen:
        return Percentile(share, None, histogram.edges[0], n, "below the first edge")
    for index, count in enumerate(histogram.counts):
        seen += count
        if rank <= seen:
            return Percentile(share, histogram.edges[index], histogram.edges[index + 1], n)
    return Percentile(share, histogram.edges[-1], None, n, "above the last edge")


def percentile_of(values: Sequence[float], share: float) -> float | None:
    """Give the nearest-rank percentile of plain values; None where there are none."""
    if not values:
        return None
    return sorted(values)[max(1, math.ceil(round(share * len(values), 9))) - 1]
