"""Intervals around an estimate: order statistics, Hodges-Lehmann, BCa bootstrap.

All take one value per repetition, the unit of replication: never requests,
never samples of one trial.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from runner.analysis.stats import nearly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """Reduces the last axis."""

LEVEL: Final = 0.90
"""Confidence of every interval that is shown, and that a claim is held against."""
RESAMPLES: Final = 2000
SMALLEST_BOOTSTRAP: Final = 15
UNSEEN: Final = 0.4
"""Share of the asked-for error that a bootstrap's own tails get: of skewed values the
longest tail is mostly unseen. Chosen on benchmarks/calibration, where a 90 % interval
of a log-normal mean (σ = 1, skewness 6) then covers 90 %, and of a normal one 96 %."""
_EXACT_RANKS: Final = 50
"""Sizes up to which rank distributions are counted, as benchstat's exact limit."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval, and how sure it really is."""

    estimate: float
    low: float
    high: float
    level: float
    """Confidence that it has: order statistics give fixed steps, at or above the one asked for."""
    n: int
    method: str

    @property
    def bounds(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high

    @property
    def half_width(self) -> float | None:
        """Half the width, relative to the estimate; None around 0."""
        if self.estimate == 0:
            return 0.0 if self.low == self.high else None
        return (self.high - self.low) / 2 / abs(self.estimate)

    def inside(self, low: float | None, high: float | None) -> bool:
        """Whether all of it lies in [low, high]; None is an open end."""
        return (low is None or self.low >= low) and (high is None or self.high <= high)

    def outside(self, low: float | None, high: float | None) -> bool:
        """Whether all of it lies off [low, high]; None is an open end."""
        return (low is not None and self.high < low) or (high is not None and self.low > high)


def order_rank(n: int, level: float) -> int:
    """Give the largest k with P(x_(k) <= median <= x_(n+1-k)) >= level, or 0 for none.

    The number of values below the median is Binomial(n, 1/2), whatever the
    distribution: David and Nagaraja, Order Statistics, 3rd ed. (2003), §7.1;
    Conover, Practical Nonparametric Statistics, 3rd ed. (1999), §3.2.
    """
    rank = 0
    term, below = 1, 0
    for k in range(1, n // 2 + 1):
        below += term
        if 1 - 2 * below / 2**n < level:
            break
        rank = k
        term = term * (n - k + 1) // k
    return rank


def order_level(n: int, rank: int) -> float:
    """Give the confidence of [x_(rank), x_(n+1-rank)]; the source of `order_rank`."""
    return 1 - float(2 * sum(math.comb(n, i) for i in range(rank)) / 2**n)


def smallest_n(level: float) -> int:
    """Give the fewest values that an interval of the level needs: 5 for 90 %, 6 for 95 %."""
    n = 2
    while 1 - 2 / 2**n < level:
        n += 1
    return n


def median_interval(values: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Median with its order-statistic interval; None where n is too small for the level.

    Needs no distribution; ties and discreteness only make it surer
    (Scheffé and Tukey 1945, Annals of Mathematical Statistics 16, 187-192).
    """
    rank = order_rank(len(values), level)
    if rank == 0:
        return None
    ordered = sorted(values)
    return Interval(
        estimate=statistics.median(ordered),
        low=ordered[rank - 1],
        high=ordered[-rank],
        level=order_level(len(ordered), rank),
        n=len(ordered),
        method="order statistics",
    )


def shift(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Hodges-Lehmann shift of b against a (median of all b - a) with its rank-sum interval.

    Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd ed.
    (2014), §4.2-4.3 (Moses). For a ratio give logarithms.
    """
    m, n = len(a), len(b)
    differences = sorted(y - x for x in a for y in b)
    if not differences:
        return None
    if max(m, n) <= _EXACT_RANKS:
        rank, got = _tail_rank(rank_sum_counts(m, n), level)
    else:
        rank, got = _normal_rank(m * n / 2, m * n * (m + n + 1) / 12, level)
    if rank == 0:
        return None
    middle = statistics.median(differences)
    low, high = differences[rank - 1], differences[-rank]
    return Interval(middle, low, high, got, min(m, n), "Hodges-Lehmann shift")


@lru_cache(maxsize=128)
def rank_sum_counts(m: int, n: int) -> tuple[int, ...]:
    """Count the arrangements with each U: the Gaussian binomial coefficient's terms.

    Product over i of (1 - q^(n+i)) / (1 - q^i) (Andrews, The Theory of
    Partitions, 1976, §3.2); the same counts as Mann and Whitney's recursion.
    """
    size = m * n + 1
    counts = [1] + [0] * (size - 1)
    for i in range(1, m + 1):
        for at in range(size - 1, n + i - 1, -1):
            counts[at] -= counts[at - n - i]
        for at in range(i, size):
            counts[at] += counts[at - i]
    return tuple(counts)


def _tail_rank(counts: Sequence[int], level: float) -> tuple[int, float]:
    """Give the largest rank whose tails leave `level`, and what they leave."""
    total = sum(counts)
    rank, got, tail = 0, 0.0, 0
    for at, count in enumerate(counts):
        tail += count
        left = 1 - 2 * tail / total
        if left < level:
            break
        rank, got = at + 1, left
    return rank, got


def _normal_rank(mean: float, variance: float, level: float) -> tuple[int, float]:
    rank = math.floor(mean - NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(variance))
    return max(rank, 0), level


def bca(
    values: Sequence[float],
    statistic: Statistic,
    rng: np.random.Generator,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    *,
    expand: bool = True,
) -> Interval | None:
    """Bias-corrected and accelerated bootstrap interval of any statistic.

    Efron 1987, JASA 82, 171-185; Efron and Tibshirani, An Introduction to the
    Bootstrap (1993), §14.3. `expand` widens the nominal level for small n as
    Hesterberg 2015, The American Statistician 69, 371-386, §4.3 (expanded
    percentile): bootstrap spread is too small by sqrt((n-1)/n), and z stands
    where t should; and it leaves the tails `UNSEEN` of the error that is asked for,
    so that skewed values are covered as often as is said. Without it the result is
    scipy.stats.bootstrap's. None under 15 values, where even so a mean is covered too
    seldom. No interval for a mean holds for every distribution (Bahadur and Savage
    1956, Annals of Mathematical Statistics 27, 1115-1122): the median's does.
    """
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    n = len(data)
    if n < SMALLEST_BOOTSTRAP:
        return None
    bootstrap = _bootstrap(data, statistic, rng, resamples)
    if bootstrap.drawn.min() == bootstrap.drawn.max():
        return Interval(
            bootstrap.estimate, bootstrap.estimate, bootstrap.estimate, level, n, "BCa bootstrap"
        )
    normal = NormalDist()
    z = normal.inv_cdf((1 + level) / 2)
    if expand:
        from scipy.special import stdtrit

        z = math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, 1 - UNSEEN * (1 - level) / 2))
    ends = []
    for edge in (-z, z):
        moved = bootstrap.bias + (bootstrap.bias + edge) / (
            1 - bootstrap.acceleration * (bootstrap.bias + edge)
        )
        ends.append(float(np.quantile(bootstrap.drawn, normal.cdf(moved))))
    return Interval(bootstrap.estimate, ends[0], ends[1], level, n, "BCa bootstrap")


@dataclass(frozen=True)
class _Bootstrap:
    """What the intervals and tests of one set of resamples are made of."""

    estimate: float
    drawn: NDArray[np.float64]
    bias: float
    acceleration: float


def _bootstrap(
    data: NDArray[np.float64], statistic: Statistic, rng: np.random.Generator, resamples: int
) -> _Bootstrap:
    import numpy as np

    n = len(data)
    estimate = float(statistic(data))
    drawn = np.asarray(statistic(data[rng.integers(0, n, (resamples, n))]), dtype=np.float64)
    # half of the ties, as scipy does
    share = float(np.sum(drawn < estimate) + np.sum(drawn <= estimate)) / (2 * resamples)
    share = min(max(share, 0.5 / resamples), 1 - 0.5 / resamples)
    index = np.arange(n)
    left_out = np.asarray(
        statistic(np.stack([data[index != i] for i in range(n)])), dtype=np.float64
    )
    pull = left_out.mean() - left_out
    scale = float(np.sum(pull**2)) ** 1.5
    acceleration = float(np.sum(pull**3)) / (6 * scale) if scale > 0 else 0.0
    return _Bootstrap(estimate, drawn, NormalDist().inv_cdf(share), acceleration)


def mean_p(values: Sequence[float], edge: float, *, above: bool) -> float:
    """One-sided p that the mean lies at or within `edge`, of the intervals of `mean_interval`.

    The level at which the expanded BCa interval's end reaches the edge; never smaller than
    the resamples can tell.
    """
    import numpy as np
    from scipy.special import stdtr

    data = np.asarray(values, dtype=np.float64)
    n = len(data)
    if data.min() == data.max():
        one = float(data[0])
        beyond = nearly.above(one, edge) if above else nearly.below(one, edge)
        return 0.5 / RESAMPLES if beyond else 1.0
    bootstrap = _bootstrap(data, lambda x: x.mean(axis=-1), np.random.default_rng(0), RESAMPLES)
    below = float(np.mean(bootstrap.drawn < edge))
    moved = NormalDist().inv_cdf(min(max(below, 0.5 / RESAMPLES), 1 - 0.5 / RESAMPLES))
    shifted = moved - bootstrap.bias
    z = shifted / (1 + bootstrap.acceleration * shifted) - bootstrap.bias
    z = z if above else -z
    return min(1.0, float(stdtr(n - 1, z / math.sqrt(n / (n - 1)))) / UNSEEN)


def mean_interval(values: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Mean with its BCa bootstrap interval; None under `SMALLEST_BOOTSTRAP` values.

    The same values give the same interval: the generator begins with the same seed.
    """
    if len(values) < SMALLEST_BOOTSTRAP:
        return None
    import numpy as np

    return bca(values, lambda x: x.mean(axis=-1), np.random.default_rng(0), level)
