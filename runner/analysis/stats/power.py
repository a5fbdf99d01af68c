"""How likely n repetitions decide, and how many are needed: exact for the tests that are used.

Values are taken as normal around a truth that is guessed; of that, the chance that an
order-statistic interval lies inside a region, or that a sign test contradicts it, is a sum of
multinomial terms and is not approximated. Chances rise with n in steps, since ranks are whole.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.shares import at_least, quantile_ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Region = tuple[float | None, float | None]

MANY: Final = 1000
"""More repetitions than this are not worth naming."""
POWER: Final = 0.8
LEAST: Final = 2
_STEP: Final = 1.06
"""Ratio of the sizes on the way up; the last stretch is then looked through one by one."""


@dataclass(frozen=True)
class Truth:
    """What one repetition is taken to be drawn from."""

    middle: float
    spread: float
    """Standard deviation of one repetition."""

    def below(self, edge: float | None) -> float:
        """P(a value lies below an edge); 0 for an open end."""
        if edge is None:
            return 0.0
        if self.spread <= 0:
            return float(self.middle < edge)
        return NormalDist(self.middle, self.spread).cdf(edge)

    def above(self, edge: float | None) -> float:
        """P(a value lies above an edge); 0 for an open end."""
        if edge is None:
            return 0.0
        if self.spread <= 0:
            return float(self.middle > edge)
        return NormalDist(-self.middle, self.spread).cdf(-edge)


def inside(n: int, region: Region, truth: Truth, alpha: float = 0.05, share: float = 0.5) -> float:
    """Give the chance that the interval of n values lies inside a region (`reproduced`).

    The interval's ends are x_(k) and x_(m): it lies inside where fewer than k values are below
    the region and at most n - m above it.
    """
    first, last = quantile_ranks(n, share, alpha)
    if (first < 1 or last > n) and (share == 0.5 or None not in region):
        return 0.0
    below, above = truth.below(region[0]), truth.above(region[1])
    most_below = n if region[0] is None else first - 1
    most_above = n if region[1] is None else n - last
    if most_below < 0 or most_above < 0:
        return 0.0
    return _few_of_each(n, (below, above), (most_below, most_above))


def _few_of_each(n: int, shares: tuple[float, float], most: tuple[int, int]) -> float:
    """P(at most so many of n on one side, and at most so many on the other)."""
    import numpy as np
    from scipy.special import bdtr, gammaln, xlog1py, xlogy

    i = np.arange(min(n, most[0]) + 1)
    with np.errstate(divide="ignore"):
        log = gammaln(n + 1) - gammaln(i + 1) - gammaln(n - i + 1)
        log = log + xlogy(i, shares[0]) + xlog1py(n - i, -shares[0])
    left = shares[1] / (1 - shares[0]) if shares[0] < 1 else 0.0
    rest = bdtr(np.minimum(most[1], n - i), n - i, min(1.0, left))
    return min(1.0, float(np.sum(np.exp(log) * np.where(n - i > most[1], rest, 1.0))))


def outside(n: int, region: Region, truth: Truth, alpha: float, share: float = 0.5) -> float:
    """Give the chance that n values contradict a region by a sign test, one-sided at alpha."""
    chance = 0.0
    for null, real in ((1 - share, truth.above(region[1])), (share, truth.below(region[0]))):
        at = rejects(n, null, alpha)
        if at is not None and real > 0:
            chance += at_least(at, n, real)
    return min(1.0, chance)


@lru_cache(maxsize=4096)
def rejects(n: int, share: float, alpha: float) -> int | None:
    """Give the fewest of n that are too many for a share, one-sided at alpha; None for none."""
    import numpy as np
    from scipy.special import bdtrc

    tails = bdtrc(np.arange(n), n, share)  # P(more than so many)
    few = np.flatnonzero(tails <= alpha)
    if few.size:
        return int(few[0]) + 1
    return None


def needed(chance: Callable[[int], float], start: int = LEAST, power: float = POWER) -> int | None:
    """Give the fewest repetitions with such a chance; None where MANY are not enough."""
    if chance(MANY) < power:
        return None  # the usual case of an estimate near the edge
    size = start
    while size <= MANY and chance(size) < power:
        size = max(size + 1, int(size * _STEP))
    if size > MANY:
        return None
    back = max(start, int(size / _STEP) - 1)
    return next(n for n in range(back, size + 1) if n == size or chance(n) >= power)


def more_values(
    values: Sequence[float], region: Region, alphas: tuple[float, float], share: float = 0.5
) -> tuple[int | None, bool]:
    """Guess how many more values decide, and whether their middle lies inside.

    `alphas` are one-sided, for reproduced and for contradicted. The estimate is taken for the
    truth. None where it lies on the edge, MANY + 1 where more than MANY would be needed.
    """
    middle = statistics.median(values)
    low, high = region
    within = (low is None or middle >= low) and (high is None or middle <= high)
    if middle in (low, high):
        return None, True
    truth = Truth(middle, statistics.stdev(values))

    def chance(n: int) -> float:
        if within:
            return inside(n, region, truth, alphas[0], share)
        return outside(n, region, truth, alphas[1], share)

    wanted = needed(chance, start=len(values) + 1)
    return (MANY + 1 if wanted is None else max(1, wanted - len(values))), within


def more_blocks(true: int, n: int, alphas: tuple[float, float]) -> int | None:
    """Guess how many more blocks decide a statement, should the share of true ones stay.

    `alphas` are one-sided. More than MANY is MANY + 1; None at a tie.
    """
    if 2 * true == n:
        return None
    side = max(true, n - true) / n
    alpha = alphas[0] if 2 * true > n else alphas[1]

    def chance(size: int) -> float:
        at = rejects(size, 0.5, alpha)
        return 0.0 if at is None else at_least(at, size, side)

    wanted = needed(chance, start=n + 1)
    return MANY + 1 if wanted is None else max(1, wanted - n)
