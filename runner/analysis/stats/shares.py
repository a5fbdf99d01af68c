"""Shares of units: exact binomial tails and bounds."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

_PLAIN: Final = 400
"""Sizes up to which a binomial term is a product of plain numbers."""


@lru_cache(maxsize=4096)
def at_least(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) >= k)."""
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    return min(1.0, math.fsum(_term(i, n, p) for i in range(k, n + 1)))


def at_most(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) <= k)."""
    return at_least(n - k, n, 1 - p)


def _term(i: int, n: int, p: float) -> float:
    if n <= _PLAIN:
        return float(math.comb(n, i) * p**i * (1 - p) ** (n - i))
    if p in (0.0, 1.0):
        return float(i == n * p)
    ways = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
    return math.exp(ways + i * math.log(p) + (n - i) * math.log1p(-p))


def upper(k: int, n: int, level: float = 0.95) -> float:
    """Give the one-sided upper bound of a share after k of n.

    Clopper and Pearson 1934, Biometrika 26, 404-413: the share with which so few are seen
    with a chance of 1 - level. Of 0 of n it is 1 - (1 - level)^(1/n), about 3/n.
    """
    if k >= n:
        return 1.0
    if k == 0:
        return float(1 - (1 - level) ** (1 / n))
    low, high = k / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if at_most(k, n, middle) <= 1 - level else (middle, high)
    return high


def lower(k: int, n: int, level: float = 0.95) -> float:
    """Give the one-sided lower bound of a share after k of n; see `upper`."""
    return 1 - upper(n - k, n, level)


def clean_runs(bound: float, level: float = 0.95) -> int:
    """Give how many units without one failure show a share of at most `bound`: 59 for 1 in 20."""
    return math.ceil(math.log(1 - level) / math.log1p(-bound) - 1e-9)


@lru_cache(maxsize=512)
def quantile_ranks(n: int, share: float, alpha: float = 0.05) -> tuple[int, int]:
    """Give (k, m): x_(k) <= the quantile, and x_(m) >= it, each wrongly so in at most alpha.

    0 or n + 1 where n values give no such end. The number of values below the quantile is
    Binomial(n, share): Conover, Practical Nonparametric Statistics, 3rd ed. (1999), §3.2.
    """
    low, total = 0, 0.0
    while low < n and (total := total + _term(low, n, share)) <= alpha:
        low += 1
    high, total = n + 1, 0.0
    while high > 1 and (total := total + _term(high - 1, n, share)) <= alpha:
        high -= 1
    return low, high
