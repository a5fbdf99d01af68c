"""How many repetitions decide a claim: a guess from the ones there are, or from a pilot.

Guesses, said as "about": they take the estimate for the truth.
"""

from __future__ import annotations

import math
import statistics
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.intervals import smallest_n

if TYPE_CHECKING:
    from collections.abc import Sequence

    Region = tuple[float | None, float | None]

MANY: Final = 1000
"""More repetitions than this are not worth naming."""
POWER: Final = 0.8


def needed(spread: float, room: float, alpha: float, power: float = POWER) -> int:
    """Give the repetitions after which the median's interval is clear of an edge.

    `spread` is the standard deviation of one repetition, `room` the distance of
    the median from the edge, alpha two-sided. Half-width of a median's
    interval: 1.2533 z s / sqrt(n), the asymptotic standard error under
    normality (Kenney and Keeping, Mathematics of Statistics I, §3.8); power as
    in Chow, Shao and Wang, Sample Size Calculations (2003), §3.1. Never fewer
    than the interval needs to exist. At most 10 * MANY.
    """
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    root = 1.2533 * z * spread
    if root >= room * math.sqrt(10 * MANY):
        return 10 * MANY
    return max(smallest_n(1 - alpha), math.ceil((root / room) ** 2))


def chance(spread: float, room: float, alpha: float, n: int) -> float:
    """Give the chance that n repetitions decide; `needed` turned around, 0 where n is too small."""
    if n < smallest_n(1 - alpha) or room <= 0:
        return 0.0
    if spread <= 0:
        return 1.0
    normal = NormalDist()
    return normal.cdf(room * math.sqrt(n) / (1.2533 * spread) - normal.inv_cdf(1 - alpha / 2))


def more_values(
    values: Sequence[float], region: Region, alphas: tuple[float, float]
) -> tuple[int | None, bool]:
    """Guess how many more values decide, and whether the median lies inside.

    `alphas` are two-sided, for reproduced and for contradicted. None where the
    median lies on the edge.
    """
    middle = statistics.median(values)
    low, high = region
    room = min(
        math.inf if low is None else middle - low, math.inf if high is None else high - middle
    )
    if room == 0:
        return None, True
    alpha = alphas[0] if room > 0 else alphas[1]
    wanted = needed(statistics.stdev(values), abs(room), alpha)
    return max(1, wanted - len(values)), room > 0


def more_blocks(true: int, n: int, alphas: tuple[float, float]) -> int | None:
    """Guess how many more blocks decide a statement, should the share of true ones stay.

    Sample size of a sign test: Noether 1987, JASA 82, 645-647. More than MANY
    is MANY + 1; None at a tie.
    """
    side = max(true, n - true) / n
    if side == 0.5:
        return None
    alpha = alphas[0] if 2 * true > n else alphas[1]
    normal = NormalDist()
    reach = normal.inv_cdf(1 - alpha / 2) / 2
    reach += normal.inv_cdf(POWER) * math.sqrt(side * (1 - side))
    wanted = max(math.ceil((reach / (side - 0.5)) ** 2), smallest_n(1 - alpha))
    return min(max(1, wanted - n), MANY + 1)
