"""Values of which some are only bounds: each unit is an interval, and ranks decide.

A median does not move while a value stays on its side of it, so a unit that is known to lie
above 256 counts like any other above 256 (Helsel, Statistics for Censored Environmental
Data, 2nd ed. (2012), §6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.analysis.stats.intervals import order_level, order_rank
from runner.records.quantities import in_unit

if TYPE_CHECKING:
    from collections.abc import Sequence


def bounds(values: Sequence[float | None], sides: Sequence[str]) -> tuple[tuple[float, float], ...]:
    """Give the least and the most that each unit can be; units that are missing are left out."""
    padded = [*sides, *[""] * (len(values) - len(sides))][: len(values)]
    ends: list[tuple[float, float]] = []
    for value, side in zip(values, padded, strict=True):
        if side == "unknown":
            ends.append((-math.inf, math.inf))
        elif side == "above":
            ends.append((math.inf if value is None else value, math.inf))
        elif side == "below":
            ends.append((-math.inf, -math.inf if value is None else value))
        elif value is not None and math.isfinite(value):
            ends.append((value, value))
    return tuple(ends)


def span(values: Sequence[float | None], sides: Sequence[str]) -> tuple[float, float] | None:
    """Give the least and the most that the median can be, either infinite; None of no values."""
    units = bounds(values, sides)
    if not units:
        return None
    return middle(sorted(low for low, _ in units)), middle(sorted(high for _, high in units))


@dataclass(frozen=True)
class Median:
    """A median and its interval, as far as bounds leave them known."""

    median: float | None
    interval: tuple[float, float] | None
    level: float | None
    why: str = ""
    """What is known where the number is not."""


def median_of_bounds(
    values: Sequence[float | None], sides: Sequence[str], level: float, unit: str = ""
) -> Median:
    """Estimate the median; None, with the reason, where it lies among units that are bounds."""
    units = bounds(values, sides)
    n = len(units)
    if not n:
        return Median(None, None, None)
    lows, highs = sorted(low for low, _ in units), sorted(high for _, high in units)
    least, most = middle(lows), middle(highs)
    hidden = sum(low != high or math.isinf(low) for low, high in units)
    why = ""
    if least != most or math.isinf(least):
        why = f"{hidden} of {n} values are bounds: {_between(least, most, unit)}"
    rank = order_rank(n, level)
    ends = (lows[rank - 1], highs[n - rank]) if rank else None
    if ends is not None and not all(map(math.isfinite, ends)):
        why = why or f"{hidden} of {n} values are bounds: the interval has no end there"
        ends = None
    return Median(
        median=None if why and (least != most or math.isinf(least)) else least,
        interval=ends,
        level=order_level(n, rank) if ends is not None else None,
        why=why,
    )


def middle(ordered: Sequence[float]) -> float:
    """Give the median of sorted numbers, of which some may be infinite."""
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    if low == high:
        return low
    # the mean of the two ends of the line is not a number
    return next((end for end in (low, high) if math.isinf(end)), (low + high) / 2)


def _between(least: float, most: float, unit: str) -> str:
    for word, end in (("least", least), ("most", most)):
        if math.isfinite(end):
            shown = in_unit(end, unit) if unit else end
            return f"the median is at {word} {shown:.6g} {unit}".rstrip()
    return "the median is not known"
