"""Comparisons of numbers that went through units and arithmetic: the last bit says nothing.

0.07 ms read from a program and the 0.07 ms that was published are 7.000000000000001e-05 s and
7e-05 s; 1.1 × 0.1 is 0.11000000000000001. Whoever compares a measured number with a bound
that a person wrote asks here, so that a value on the bound is on it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RELATIVE: Final = 1e-12
"""Thousands of roundings of a double, and far below what any instrument resolves."""


def same(a: float, b: float) -> bool:
    """Whether two numbers are one but for rounding."""
    return a == b or math.isclose(a, b, rel_tol=RELATIVE)


def below(a: float, b: float) -> bool:
    """Whether a < b by more than rounding."""
    return a < b and not same(a, b)


def above(a: float, b: float) -> bool:
    """Whether a > b by more than rounding."""
    return a > b and not same(a, b)


COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": lambda a, b: a < b or same(a, b),
    "<": below,
    ">=": lambda a, b: a > b or same(a, b),
    ">": above,
    "==": same,
    "!=": lambda a, b: not same(a, b),
}
