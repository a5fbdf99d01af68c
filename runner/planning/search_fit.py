"""The curve P(healthy) over the levels that a search tried, and whether it falls everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Counts = Mapping[int, tuple[int, int]]
    """level → (healthy, trials)"""

LAPSE: Final = 0.02
"""Share of trials that fail whatever the level; one such failure must not bend the curve."""
_SPREADS: Final = 15
_POINTS: Final = 400
_SPAN: Final = 0.35
_SLOPE_SPREAD: Final = 0.7
_LN9: Final = math.log(9)


@dataclass(frozen=True)
class Fit:
    """P(healthy) = (1 - lapse) / (1 + exp(ln(level / middle) / scale))."""

    half: float
    """Level where P(healthy) = 1/2."""
    low: float
    high: float
    """90 % credible interval of `half`, of this one search: searches vary by more."""
    scale: float
    lapse: float = LAPSE
    rising: bool = False

    def p(self, level: float) -> float:
        """Give P(healthy) at a level."""
        odds = math.log(level / self._middle()) / self.scale
        odds = -odds if self.rising else odds
        return (1 - self.lapse) / (1 + math.exp(min(odds, 700.0)))

    def width(self) -> float:
        """Give the distance of P = 90 % and P = 10 % of the way, relative to the level."""
        return 2 * _LN9 * self.scale

    def _middle(self) -> float:
        shift = self.scale * math.log(1 - 2 * self.lapse)
        return self.half * math.exp(shift if self.rising else -shift)


def fit(
    counts: Counts, bracket: tuple[int, int], resolution: float, *, lowest: bool = False
) -> Fit:
    """Fit a logistic curve over ln(level) to every trial of one search.

    Posterior mean on a grid, as psychometric functions are fitted with few
    trials: Kontsevich and Tyler 1999, Vision Research 39, 2729-2737; fixed lapse
    rate: Wichmann and Hill 2001, Perception and Psychophysics 63, 1293-1313. The
    prior of the middle is flat around the bracket; that of the width is
    log-normal around twice the resolution, wide enough for the trials to decide.
    What order the levels were tried in does not matter (likelihood principle).
    """
    import numpy as np

    ends = sorted(bracket)
    share = min(max(resolution if resolution < 1 else resolution / ends[0], 0.002), 0.2)
    middles = np.linspace(math.log(ends[0]) - _SPAN, math.log(ends[1]) + _SPAN, _POINTS)
    usual = 2 * share / (2 * _LN9)
    scales = usual * np.exp(np.linspace(-2.5, 2.5, _SPREADS))
    prior = -0.5 * (np.log(scales / usual) / _SLOPE_SPREAD) ** 2
    log_p = np.broadcast_to(prior[:, None], (_SPREADS, _POINTS)).copy()
    sign = -1.0 if lowest else 1.0
    for level, (good, of) in counts.items():
        odds = np.clip(sign * (math.log(level) - middles) / scales[:, None], -50, 50)
        p = (1 - LAPSE) / (1 + np.exp(odds))
        log_p += good * np.log(p) + (of - good) * np.log1p(-p)
    weight = np.exp(log_p - log_p.max())
    weight /= weight.sum()
    over = weight.sum(axis=0)
    scale = float(np.exp(np.sum(weight.sum(axis=1) * np.log(scales))))
    shift = sign * scale * math.log(1 - 2 * LAPSE)
    edges = np.interp([0.05, 0.95], np.cumsum(over), middles)
    low, high = (math.exp(float(edge) + shift) for edge in edges)
    return Fit(math.exp(float(over @ middles) + shift), low, high, scale, rising=lowest)


def inversions(counts: Counts, *, lowest: bool = False) -> tuple[tuple[int, int], ...]:
    """Find pairs of levels where the one that should be worse is healthier.

    One-sided exact test of Fisher (Statistical Methods for Research Workers,
    5th ed. (1934), §21.02) at 5 %: three failures against three successes is
    the least that counts.
    """
    order = sorted(counts, reverse=lowest)
    pairs = []
    for at, easy in enumerate(order):
        for hard in order[at + 1 :]:
            (a, n), (b, m) = counts[easy], counts[hard]
            if a * m < b * n and _fisher(a, n, b, m) <= 0.05:
                pairs.append((easy, hard))
    return tuple(pairs)


def _fisher(a: int, n: int, b: int, m: int) -> float:
    """P(at most a of n healthy, given a + b of n + m)."""
    ways = math.comb(n + m, a + b)
    return sum(math.comb(n, i) * math.comb(m, a + b - i) for i in range(a + 1)) / ways
