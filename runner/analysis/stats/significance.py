"""Two samples, or many claims: tests on the values of repetitions."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.intervals import LEVEL, Interval, median_interval, rank_sum_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXACT: Final = 50
EXACT_TIES: Final = 25
"""Sizes up to which U's distribution is counted; benchstat's limits
(golang.org/x/perf, internal/stats, MannWhitneyExactLimit and …TiesExactLimit)."""


@dataclass(frozen=True)
class RankTest:
    """Mann-Whitney's U test, two-sided."""

    u: float
    """U of the first sample: pairs where it is the larger, ties counting half."""
    p: float
    method: str
    """exact, exact with ties, normal, or why there is none."""


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> RankTest:
    """Test whether values of one sample tend to be larger than the other's.

    Mann and Whitney 1947, Annals of Mathematical Statistics 18, 50-60. Exact
    for small samples, given the ties (Lehmann, Nonparametrics, 1975, §1.4); else
    the normal approximation with tie and continuity correction (same, §1.3).
    p is 1 where every value is the same or a sample is empty.
    """
    m, n = len(a), len(b)
    groups = sorted(Counter([*a, *b]).items())
    tied = any(count > 1 for _, count in groups)
    if not m or not n:
        return RankTest(math.nan, 1.0, "an empty sample")
    if len(groups) == 1:
        return RankTest(m * n / 2, 1.0, "all values are equal")
    in_a = Counter(a)
    seen = 0
    ranks = 0  # twice the rank sum of a: whole numbers, midranks included
    for value, count in groups:
        ranks += in_a[value] * (2 * seen + count + 1)
        seen += count
    u = (ranks - m * (m + 1)) / 2
    if max(m, n) <= (EXACT_TIES if tied else EXACT):
        if tied:
            p = _exact_p([count for _, count in groups], m, ranks)
            return RankTest(u, p, "exact with ties")
        counts = rank_sum_counts(m, n)
        p = 2 * sum(counts[: min(int(u), m * n - int(u)) + 1]) / sum(counts)
        return RankTest(u, min(1.0, p), "exact")
    total = m + n
    ties = sum(count**3 - count for _, count in groups)
    spread = math.sqrt(m * n / 12 * (total + 1 - ties / (total * (total - 1))))
    z = (abs(u - m * n / 2) - 0.5) / spread
    return RankTest(u, min(1.0, 2 * (1 - NormalDist().cdf(z))), "normal")


def _exact_p(groups: Sequence[int], m: int, ranks: int) -> float:
    """Count the ways to choose m of all values by twice their rank sum."""
    ways: list[dict[int, int]] = [{0: 1}] + [{} for _ in range(m)]
    seen = 0
    for count in groups:
        rank = 2 * seen + count + 1
        seen += count
        for size in range(m, 0, -1):
            sums = ways[size]
            for taken in range(1, min(count, size) + 1):
                times = math.comb(count, taken)
                for total, number in ways[size - taken].items():
                    key = total + taken * rank
                    sums[key] = sums.get(key, 0) + number * times
    counts = ways[m]
    total = sum(counts.values())
    below = sum(number for key, number in counts.items() if key <= ranks)
    above = sum(number for key, number in counts.items() if key >= ranks)
    return min(1.0, 2 * min(below, above) / total)


def sign_p(successes: int, n: int) -> float:
    """P(Binomial(n, 1/2) >= successes): one-sided sign test.

    Conover, Practical Nonparametric Statistics, 3rd ed. (1999), §3.4; the dual of
    the median's order-statistic interval.
    """
    return float(sum(math.comb(n, i) for i in range(max(successes, 0), n + 1)) / 2**n)


def equivalent(interval: Interval | None, low: float | None, high: float | None) -> bool:
    """Two one-sided tests: whether the interval lies inside [low, high].

    With a 90 % interval each side is tested at 5 %: Schuirmann 1987, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680; Westlake 1981.
    """
    return interval is not None and interval.inside(low, high)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Adjust p values for their number; keys and order as given.

    Holm 1979, Scandinavian Journal of Statistics 6, 65-70: the i-th smallest is
    multiplied by m - i + 1 and made monotone. Controls the chance of any false
    rejection under every dependence.
    """
    adjusted: dict[str, float] = {}
    floor = 0.0
    for at, (name, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        floor = max(floor, min(1.0, value * (len(p) - at)))
        adjusted[name] = floor
    return {name: adjusted[name] for name in p}


@dataclass(frozen=True)
class Paired:
    """b against a, within blocks."""

    interval: Interval | None
    n: int
    dropped: int
    """Blocks in which one of the two is missing, or the ratio does not exist."""
    values: tuple[float, ...]
    why: str = ""


def paired(
    a: Sequence[float | None],
    b: Sequence[float | None],
    level: float = LEVEL,
    *,
    ratio: bool = True,
) -> Paired:
    """Median of b / a (or b - a) over blocks, with its order-statistic interval.

    Position i of both is block i: what the block has in common cancels (Box,
    Hunter and Hunter, Statistics for Experimenters, 2nd ed. (2005), §3.2). A
    ratio of medians would not pair; a mean of ratios would depend on which of
    the two is on top (Fleming and Wallace 1986, CACM 29, 218-221), the median
    of an odd number does not.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} blocks cannot be paired")
    contrasts = []
    for x, y in zip(a, b, strict=True):
        if x is None or y is None or (ratio and x * y <= 0):
            continue
        contrasts.append(y / x if ratio else y - x)
    interval = median_interval(contrasts, level)
    why = (
        ""
        if interval
        else f"{len(contrasts)} complete blocks are too few for a {level:.0%} interval"
    )
    return Paired(interval, len(contrasts), len(a) - len(contrasts), tuple(contrasts), why)


def outcome(interval: Interval | None, threshold: float, better: str | None) -> str:
    """Say what a ratio's interval means: better, worse, changed, equivalent or undecided.

    Of numbers that leave nothing to chance: those of tests are judged together, see
    `runner.analysis.runs.comparison`. Equivalent is inside [1/(1+t), 1+t] (symmetric in
    which of the two is on top); better or worse is wholly beyond 1, and not
    equivalent.
    """
    if interval is None:
        return "undecided"
    if interval.inside(1 / (1 + threshold), 1 + threshold):
        return "equivalent"
    if not interval.outside(1.0, 1.0):
        return "undecided"
    if better is None:
        return "changed"
    return "better" if (interval.low > 1) == (better == "higher") else "worse"
