"""Two sides of which some values are only bounds: what a test may use, and what a ratio can be.

Values beyond the lowest bound of either side are all taken as that bound, on both sides alike:
where there is no difference they are as exchangeable as before, so p holds (Gehan 1965,
Biometrika 52, 203-223, for ranks). A ratio of bounds is a bound: it is said as one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.pairing import units
from runner.analysis.stats.censored import bounds
from runner.analysis.stats.intervals import order_rank, shift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.claims.rows import Key
    from runner.analysis.model import Estimate

FAR: Final = 1e6
"""Stands for an infinite logarithm: no ratio of numbers has one of half of it."""
LEVEL: Final = 0.9


def any_of(*sides: Estimate) -> bool:
    """Whether any value of the sides is only a bound."""
    return any(one.censored for side in sides for one in side.repetitions)


def unknown(*sides: Estimate) -> bool:
    """Whether any value could be anything: then it can be ranked nowhere."""
    return any(one.censored == "unknown" for side in sides for one in side.repetitions)


def ranked(a: Estimate, b: Estimate) -> tuple[dict[Key, float], dict[Key, float]]:
    """Give the values of both sides by block, with those beyond a bound at the bound."""
    known = [v for side in (a, b) for v in side.values if v is not None]
    lowest, highest = min(known, default=0.0), max(known, default=0.0)
    above, below = [highest], [lowest]
    for side in (a, b):
        for one, value in zip(units(side), side.values, strict=True):
            if value is not None and one.censored == "above":
                above.append(value)
            elif value is not None and one.censored == "below":
                below.append(value)
    most, least = min(above), max(below)
    # what lies beyond all others, nobody knows how far: any place there that both sides share
    step = (highest - lowest) or 1.0
    worst = {
        "above": highest * 2 if lowest > 0 else highest + step,
        "below": lowest / 2 if lowest > 0 else lowest - step,
    }
    sides: list[dict[Key, float]] = []
    for side in (a, b):
        own: dict[Key, float] = {}
        for one, value in zip(units(side), side.values, strict=True):
            if value is not None:
                own[one.key] = max(least, min(most, value))
            elif one.censored:
                own[one.key] = worst[one.censored]
        sides.append(own)
    return sides[0], sides[1]


def ratio(a: Estimate, b: Estimate, blocks: Sequence[Key] | None) -> tuple[float, float]:
    """Give the 90 % interval of b / a, an end 0 or infinite where a bound leaves it open.

    `blocks` are those within which values are paired; None: they are not.
    """
    one, other = _logs(a), _logs(b)
    if blocks is None:
        return _unpaired([*one.values()], [*other.values()])
    pairs = [(one[key], other[key]) for key in blocks if key in one and key in other]
    lows = sorted(y[0] - x[1] for x, y in pairs)
    highs = sorted(y[1] - x[0] for x, y in pairs)
    rank = order_rank(len(pairs), LEVEL)
    if not rank:
        return 0.0, math.inf
    return _end(lows[rank - 1]), _end(highs[len(pairs) - rank])


def _unpaired(
    one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    low = shift([x[1] for x in one], [y[0] for y in other], LEVEL)
    high = shift([x[0] for x in one], [y[1] for y in other], LEVEL)
    return (_end(low.low) if low else 0.0), (_end(high.high) if high else math.inf)


def _logs(side: Estimate) -> Mapping[Key, tuple[float, float]]:
    """Give the logarithm of the least and the most that each value can be."""
    logs = {}
    for one, value in zip(units(side), side.values, strict=True):
        for low, high in bounds([value], [one.censored]):
            # beyond all others, and nobody knows how far: from any of them on
            least = -FAR if value is None and low > 0 else _log(low)
            logs[one.key] = (least, FAR if value is None else _log(high))
    return logs


def _log(value: float) -> float:
    if value <= 0:
        return -FAR
    return FAR if math.isinf(value) else math.log(value)


def _end(log: float) -> float:
    return 0.0 if log < -FAR / 2 else math.inf if log > FAR / 2 else math.exp(log)


def open_ended(ratio_ends: tuple[float, float]) -> str:
    """Say what is known of a ratio whose interval has an open end; empty where it has none."""
    low, high = ratio_ends
    if low > 0 and math.isinf(high):
        return f"b / a is at least {low:.3g} (90 %)"
    if low == 0 and math.isfinite(high):
        return f"b / a is at most {high:.3g} (90 %)"
    return "" if math.isfinite(high) else "how large b / a is, the bounds leave open"
