"""Arithmetic over numbers of which some are only bounds: what the result can be at least and most.

Interval arithmetic (Moore, Kearfott and Cloud, Introduction to Interval Analysis (2009), §2.3).
An expression that names a metric twice gets bounds that are too wide, never too narrow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.spec.expressions import Binary, Number, Ref, Unary

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.analysis.claims.rows import Row
    from runner.spec.expressions import Expression

Range = tuple[float, float]
"""The least and the most, either of which may be infinite."""
ANYTHING: Range = (-math.inf, math.inf)


def of_row(row: Row) -> Range:
    """Give what a value can be; one without a number could be anything."""
    known = row.known
    if known is None:
        return ANYTHING
    if row.of.censored == "above":
        return known, math.inf
    if row.of.censored == "below":
        return -math.inf, known
    return (known, known) if not row.of.censored else ANYTHING


def evaluate(  # noqa: PLR0911 - one return for each kind of node
    expression: Expression, lookup: Callable[[str], Range]
) -> Range:
    """Evaluate in base units; anything where a divisor may be 0, or where it is no arithmetic."""
    match expression:
        case Number(value):
            return float(value.exact), float(value.exact)
        case Ref(name):
            return lookup(name)
        case Unary("-", operand):
            low, high = evaluate(operand, lookup)
            return -high, -low
        case Binary("+", left, right):
            one, other = evaluate(left, lookup), evaluate(right, lookup)
            return one[0] + other[0], one[1] + other[1]
        case Binary("-", left, right):
            one, other = evaluate(left, lookup), evaluate(right, lookup)
            return one[0] - other[1], one[1] - other[0]
        case Binary("*", left, right):
            return _product(evaluate(left, lookup), evaluate(right, lookup))
        case Binary("/", left, right):
            low, high = evaluate(right, lookup)
            if low <= 0 <= high:
                return ANYTHING
            return _product(evaluate(left, lookup), (1 / high, 1 / low))
        case _:
            return ANYTHING


def _product(one: Range, other: Range) -> Range:
    # an end that is infinite stands for a number that is not: nothing of it is nothing
    ends = [0.0 if 0 in (x, y) else x * y for x in one for y in other]
    return min(ends), max(ends)


def side(ends: Range) -> tuple[float | None, str]:
    """Give a range as a number and what that is: `above`, `below`, `unknown`; empty where known."""
    low, high = ends
    if low == high and math.isfinite(low):
        return low, ""
    if math.isfinite(high) and (low == 0 or math.isinf(low)):
        return high, "below"
    if math.isfinite(low):
        return low, "above"
    return None, "unknown"
