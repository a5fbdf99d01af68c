"""How much of a spread is each level's: a boot's, a layout's, a repetition's.

Nested random effects by unweighted means: a unit's value is the mean of those in it, and the
variance of a level is that of its units within their parents, less what the level inside of it
explains (Thomas and Hultquist 1978, Annals of Statistics 6, 582-587; exact where all units have
as many children). Intervals are the modified large sample ones of Ting, Burdick, Graybill,
Jeyaratnam and Lu 1990, Journal of Statistical Computation and Simulation 35, 135-143; that of the
innermost level is of chi square. All take normal effects: benchmarks/calibration, "Levels".
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPETITION: Final = "repetition"


@dataclass(frozen=True)
class Component:
    """One level's share of the spread."""

    level: str
    """`boot`; of levels that varied only together `boot and layout`."""
    units: int
    """How many of them there were."""
    spread: float
    """Standard deviation; 0 where the levels inside explain all of it."""
    interval: tuple[float, float] | None
    """At 90 %."""


@dataclass(frozen=True)
class _Square:
    """Units of a level within their parents."""

    mean: float
    degrees: int
    children: float
    """Harmonic mean of how many each parent has."""
    units: int


def components(
    values: Sequence[tuple[tuple[str, ...], float]], levels: Sequence[str]
) -> tuple[Component, ...]:
    """Give the spread of every level that varied, outermost first.

    `values` are beside the names of the units that they are of, one for each of `levels`,
    outermost first; repetitions are inside of all of them.
    """
    names, paths = _varied(values, levels)
    tree = [((*path, str(at)), value) for at, (path, value) in enumerate(paths)]
    names = [*names, REPETITION]
    squares = _squares(tree, len(names))
    merged: list[tuple[str, _Square]] = []
    for name, square in zip(names, squares, strict=True):
        if square.degrees == 0 and merged:
            # one in each unit of the level around it: nobody could tell them apart
            outer, kept = merged[-1]
            merged[-1] = (_joined(outer, name), kept)
        elif square.degrees > 0:
            merged.append((name, square))
    spreads = []
    for at, (name, square) in enumerate(merged):
        inner = merged[at + 1][1] if at + 1 < len(merged) else None
        spreads.append(_component(name, square, inner))
    return tuple(spreads)


def _joined(outer: str, inner: str) -> str:
    return f"{outer.replace(' and ', ', ')} and {inner}"


def _varied(
    values: Sequence[tuple[tuple[str, ...], float]], levels: Sequence[str]
) -> tuple[list[str], list[tuple[tuple[str, ...], float]]]:
    """Leave out the levels of which there is one unit."""
    kept = [at for at in range(len(levels)) if len({path[at] for path, _ in values}) > 1]
    return [levels[at] for at in kept], [
        (tuple(path[at] for at in kept), value) for path, value in values
    ]


def _squares(tree: Sequence[tuple[tuple[str, ...], float]], depth: int) -> list[_Square]:
    """Give the mean square of each level, outermost first."""
    level: Mapping[tuple[str, ...], float] = dict(tree)
    squares: list[_Square] = []
    for at in range(depth, 0, -1):
        groups: dict[tuple[str, ...], list[float]] = {}
        for path, value in level.items():
            groups.setdefault(path[: at - 1], []).append(value)
        degrees = sum(len(group) - 1 for group in groups.values())
        total = math.fsum(
            statistics.variance(group) * (len(group) - 1)
            for group in groups.values()
            if len(group) > 1
        )
        squares.append(
            _Square(
                mean=total / degrees if degrees else 0.0,
                degrees=degrees,
                children=statistics.harmonic_mean([len(group) for group in groups.values()]),
                units=len(level),
            )
        )
        level = {path: statistics.fmean(group) for path, group in groups.items()}
    return squares[::-1]


def _component(name: str, outer: _Square, inner: _Square | None) -> Component:
    if inner is None:
        from scipy.special import chdtri

        total = outer.mean * outer.degrees
        low, high = (float(total / chdtri(outer.degrees, p)) for p in (0.05, 0.95))
        ends = math.sqrt(low), math.sqrt(high)
        return Component(name, outer.units, math.sqrt(outer.mean), ends)
    variance = outer.mean - inner.mean / inner.children
    low, high = _difference(outer, inner)
    return Component(
        name, outer.units, math.sqrt(max(0.0, variance)), (math.sqrt(low), math.sqrt(high))
    )


def _difference(one: _Square, other: _Square) -> tuple[float, float]:
    """Give the interval of a difference of expected mean squares, cut at 0."""
    from scipy.special import chdtri, fdtri

    a, b = one.mean, other.mean / other.children
    n, m = one.degrees, other.degrees
    tail = (1 - LEVEL) / 2

    def infinite(p: float, degrees: int) -> float:
        """Give the quantile of F with infinite degrees below."""
        return float(chdtri(degrees, 1 - p)) / degrees

    upper, lower = float(fdtri(n, m, 1 - tail)), float(fdtri(n, m, tail))
    g1, h2 = 1 - 1 / infinite(1 - tail, n), 1 / infinite(tail, m) - 1
    h1, g2 = 1 / infinite(tail, n) - 1, 1 - 1 / infinite(1 - tail, m)
    g12 = ((upper - 1) ** 2 - g1**2 * upper**2 - h2**2) / upper
    h12 = ((1 - lower) ** 2 - h1**2 * lower**2 - g2**2) / lower
    down = (g1 * a) ** 2 + (h2 * b) ** 2 + g12 * a * b
    up = (h1 * a) ** 2 + (g2 * b) ** 2 + h12 * a * b
    middle = a - b
    low = middle - math.sqrt(max(0.0, down))
    return max(0.0, low), max(0.0, middle + math.sqrt(max(0.0, up)))
