"""How likely repetitions decide a mean or a share: for the tests that are used.

Of normal values the bootstrap's interval of a mean is Student's at the tails that
`stats.intervals` leaves it, so that the chance is an integral over the spread that is seen and,
for a contradiction, the noncentral t distribution. A share is exact: a sum of binomial terms.
benchmarks/calibration holds both against what experiments find.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.intervals import RESAMPLES, SMALLEST_BOOTSTRAP, UNSEEN
from runner.analysis.stats.power import MANY, needed, rejects

if TYPE_CHECKING:
    from runner.analysis.stats.power import Region, Truth

_POINTS: Final = 200
"""Spreads that are looked at: middles of equal shares of what may be seen."""


def mean_inside(n: int, region: Region, truth: Truth, alpha: float = 0.05) -> float:
    """Give the chance that the interval of the mean of n values lies inside a region."""
    if n < SMALLEST_BOOTSTRAP:
        return 0.0
    low, high = region
    if truth.spread <= 0:
        held = (low is None or truth.middle >= low) and (high is None or truth.middle <= high)
        return float(held)
    import numpy as np
    from scipy.special import chdtri, ndtr, stdtrit

    error = truth.spread / math.sqrt(n)
    shares = (np.arange(_POINTS) + 0.5) / _POINTS
    seen = error * np.sqrt(chdtri(n - 1, shares) / (n - 1))
    half = float(stdtrit(n - 1, 1 - UNSEEN * alpha)) * seen
    least = -np.inf if low is None else (low + half - truth.middle) / error
    most = np.inf if high is None else (high - half - truth.middle) / error
    return float(np.mean(np.maximum(0.0, ndtr(most) - ndtr(least))))


def mean_outside(n: int, region: Region, truth: Truth, alpha: float) -> float:
    """Give the chance that the mean of n values contradicts a region, one-sided at alpha."""
    if n < SMALLEST_BOOTSTRAP:
        return 0.0
    from scipy.special import nctdtr, stdtr, stdtrit

    # no p is smaller than the resamples can tell
    furthest = NormalDist().inv_cdf(1 - 0.5 / RESAMPLES) / math.sqrt(n / (n - 1))
    edge = float(stdtrit(n - 1, 1 - UNSEEN * alpha))
    if float(stdtr(n - 1, -furthest)) > UNSEEN * alpha:
        return 0.0
    chance = 0.0
    for end, sign in ((region[1], 1.0), (region[0], -1.0)):
        if end is None:
            continue
        away = sign * (truth.middle - end)
        if truth.spread <= 0:
            chance += float(away > 0)
            continue
        shift = away / truth.spread * math.sqrt(n)
        chance += 1 - float(nctdtr(n - 1, shift, edge))
    return min(1.0, chance)


def rate_inside(n: int, region: Region, share: float, alpha: float = 0.05) -> float:
    """Give the chance that the interval of a share of n lies inside a region.

    Its lower end is above `low` where so many of n would be too many for `low`, one-sided.
    """
    low, high = region
    least = 0 if low is None or low <= 0 else rejects(n, low, alpha)
    spare = 0 if high is None or high >= 1 else rejects(n, 1 - high, alpha)
    if least is None or spare is None or least > n - spare:
        return 0.0
    return max(0.0, _at_least(least, n, share) - _at_least(n - spare + 1, n, share))


def rate_outside(n: int, region: Region, share: float, alpha: float) -> float:
    """Give the chance that n units contradict a region of shares, one-sided at alpha."""
    low, high = region
    chance = 0.0
    for null, real in ((high, share), (None if low is None else 1 - low, 1 - share)):
        at = None if null is None else rejects(n, null, alpha)
        if at is not None and real > 0:
            chance += _at_least(at, n, real)
    return min(1.0, chance)


def _at_least(k: int, n: int, p: float) -> float:
    from scipy.special import bdtrc

    return 1.0 if k <= 0 else 0.0 if k > n else float(bdtrc(k - 1, n, p))


def more_mean(values: tuple[float, ...], region: Region, alphas: tuple[float, float],
              truth: Truth) -> int | None:  # fmt: skip
    """Guess how many more values decide a mean; None on the edge, MANY + 1 for more than MANY."""
    low, high = region
    if truth.middle in (low, high):
        return None
    within = _within(truth.middle, region)

    def chance(n: int) -> float:
        if within:
            return mean_inside(n, region, truth, alphas[0])
        return mean_outside(n, region, truth, alphas[1])

    return _more(needed(chance, start=len(values) + 1), len(values))


def more_rate(share: float, n: int, region: Region, alpha: float) -> int | None:
    """Guess how many more units decide a share; None on the edge, MANY + 1 for more than MANY."""
    low, high = region
    # nothing lies beyond 0 and 1: a share there is not on an edge that can be missed
    if (share == low and low > 0) or (share == high and high < 1):
        return None
    within = _within(share, region)

    def chance(size: int) -> float:
        if within:
            return rate_inside(size, region, share)
        return rate_outside(size, region, share, alpha)

    return _more(needed(chance, start=n + 1), n)


def _within(value: float, region: Region) -> bool:
    low, high = region
    return (low is None or value >= low) and (high is None or value <= high)


def _more(wanted: int | None, n: int) -> int:
    return MANY + 1 if wanted is None else max(1, wanted - n)
