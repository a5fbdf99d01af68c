"""What a comparison says: a row for each metric, and what no p says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypedDict

THRESHOLD: Final = 0.05
ALPHA: Final = 0.05
"""How often any metric of a comparison may be found to differ by chance."""
ORDER: Final = ("worse", "changed", "better", "undecided", "equivalent", "not comparable")
"""Regressions first."""
DIFFERENT: Final = ("worse", "changed", "better")


class Common(TypedDict):
    """What a row says before its test."""

    metric: str
    unit: str
    where: dict[str, str]
    n: tuple[int, int]
    median: tuple[float | None, float | None]
    interval: tuple[tuple[float, float] | None, tuple[float, float] | None]
    better: str | None
    shown: tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One metric in one cell, on both sides; numbers in base units."""

    metric: str
    unit: str
    where: dict[str, str]
    """Levels that both sides share, and `step`."""
    n: tuple[int, int]
    median: tuple[float | None, float | None]
    interval: tuple[tuple[float, float] | None, tuple[float, float] | None]
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    """At 90 %."""
    p: float | None
    test: str
    outcome: str
    better: str | None = None
    why: str = ""
    p_adjusted: float | None = None
    """p among all tests of the comparison."""
    ratio_of: str = ""
    """What the ratio is: of pairs, or of all values; never of the medians."""
    shown: tuple[str, str] = ("", "")
    """The two medians as text, with `≥` where only a bound is known; empty of an old one."""
    needed: int | None = None
    """About how many blocks, or repetitions of each side, would decide."""


@dataclass(frozen=True)
class Comparison:
    """Everything that is said of two sides."""

    a: str
    b: str
    threshold: float
    environment: tuple[tuple[str, str, str], ...]
    """(fact, a, b) of what differs."""
    rows: tuple[Row, ...]
    only: tuple[str, ...] = ()
    """Metrics that one side has not."""
    notes: tuple[str, ...] = ()
    """What no p and no interval here says."""

    @property
    def tests(self) -> int:
        """How many tests share the error rate."""
        return sum(row.p is not None for row in self.rows)

    @property
    def regressions(self) -> tuple[Row, ...]:
        """Rows that got worse."""
        return tuple(row for row in self.rows if row.outcome == "worse")


def direction(better: str | None, *, up: bool) -> str:
    """Name a difference by which direction is better."""
    if better is None:
        return "changed"
    return "better" if up == (better == "higher") else "worse"
