"""How much values vary between groups and within them: one-way random effects.

The estimates are those of the analysis of variance, with the harmonic mean of the groups'
sizes where these differ (Thomas and Hultquist, Annals of Statistics 6 (1978) 582-587); the
interval of the spread between groups is the modified large-sample one, that of the spread
within is of chi-squared (Burdick and Graybill, Confidence Intervals on Variance Components
(1992), §3.3 and §4.3). Both take values as normal.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Spread:
    """Two standard deviations, each with its interval, in the unit of the values."""

    between: float
    between_interval: tuple[float, float]
    within: float
    within_interval: tuple[float, float]
    mean: float
    """The mean of the groups' means."""
    groups: int
    values: int
    level: float


def spread(groups: Sequence[Sequence[float]], level: float = LEVEL) -> Spread | None:
    """Give the spread between and within groups; None with fewer than two, or one value in each."""
    told = [list(group) for group in groups if group]
    k, n = len(told), sum(map(len, told))
    if k < 2 or n - k < 1:
        return None
    means = [statistics.fmean(group) for group in told]
    inner = sum((v - m) ** 2 for group, m in zip(told, means, strict=True) for v in group) / (n - k)
    size = statistics.harmonic_mean([len(group) for group in told])
    outer = size * statistics.variance(means)
    low, high = _between(outer, inner, k - 1, n - k, (1 - level) / 2)
    return Spread(
        between=math.sqrt(max(0.0, outer - inner) / size),
        between_interval=(math.sqrt(low / size), math.sqrt(high / size)),
        within=math.sqrt(inner),
        within_interval=_within(inner, n - k, (1 - level) / 2),
        mean=statistics.fmean(means),
        groups=k,
        values=n,
        level=level,
    )


def _within(inner: float, free: int, tail: float) -> tuple[float, float]:
    from scipy.stats import chi2

    return (
        math.sqrt(free * inner / float(chi2.ppf(1 - tail, free))),
        math.sqrt(free * inner / float(chi2.ppf(tail, free))),
    )


def _between(outer: float, inner: float, free: int, rest: int, tail: float) -> tuple[float, float]:
    """Give the interval of `outer - inner`, mean squares with so many degrees of freedom."""
    from scipy.stats import chi2, f

    def large(df: int) -> float:
        return 1 - df / float(chi2.ppf(1 - tail, df))

    def small(df: int) -> float:
        return df / float(chi2.ppf(tail, df)) - 1

    above, below = float(f.ppf(1 - tail, free, rest)), float(f.ppf(tail, free, rest))
    mixed_low = ((above - 1) ** 2 - (large(free) * above) ** 2 - small(rest) ** 2) / above
    mixed_high = ((1 - below) ** 2 - (small(free) * below) ** 2 - large(rest) ** 2) / below
    down = (large(free) * outer) ** 2 + (small(rest) * inner) ** 2 + mixed_low * outer * inner
    up = (small(free) * outer) ** 2 + (large(rest) * inner) ** 2 + mixed_high * outer * inner
    difference = outer - inner
    return (
        max(0.0, difference - math.sqrt(max(0.0, down))),
        max(0.0, difference + math.sqrt(max(0.0, up))),
    )
