"""The middle of an estimate as a cell: its median, its text, or the bound that is known of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.analysis.stats.censored import span
from runner.records import amounts

if TYPE_CHECKING:
    from runner.analysis.model import Estimate


def middle(found: Estimate) -> str:
    """Show a text or a median in its unit, `≥ 60 s` where only that is known, `–` where nothing is.

    Values that a limit, a range or an instrument ended are bounds: see `Repetition.censored`.
    """
    return found.text or _number(found)


def _number(found: Estimate) -> str:
    if found.median is not None or len(found.repetitions) != len(found.values):
        return amounts.amount(found.median, found.unit)
    ends = span(found.values, [one.censored for one in found.repetitions])
    if ends is None:
        return amounts.NONE
    low, high = (amounts.amount(end, found.unit) if math.isfinite(end) else "" for end in ends)
    if low and high:
        return f"{low} … {high}" if low != high else low
    return f"≥ {low}" if low else f"≤ {high}" if high else amounts.NONE
