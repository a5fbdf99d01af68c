"""What a session is worth: how far runs of one spec and one program lie apart. Pure.

Two runs differ by what was compared and by all that another session brings: a boot, a layout,
the state of the host. Only several runs of the same thing show the second.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis

    Cell = tuple[str, tuple[tuple[str, str], ...], str | None]
    """Metric, treatment and step."""

FEWEST: Final = 2
"""Degrees of freedom below which nothing is said: three runs of one program, or two of each."""


@dataclass(frozen=True)
class Worth:
    """How far two sessions of one program lie apart in a metric."""

    apart: float
    """95 % of pairs of sessions differ by no more than this factor, less 1."""
    sessions: int


def worth(families: Sequence[Sequence[Analysis]]) -> dict[Cell, Worth]:
    """Say of each metric and cell what a session is worth; nothing where too few are known.

    A family holds runs of one spec and one program, a session each. Of every run the mean of
    logarithms counts; what varies of it within families is pooled, the repetitions' noise in it.
    """
    by_cell: dict[Cell, list[list[float]]] = {}
    for family in families:
        for cell, means in _means(family).items():
            by_cell.setdefault(cell, []).append(means)
    worths = {}
    for cell, groups in by_cell.items():
        degrees = sum(len(group) - 1 for group in groups)
        if degrees < FEWEST:
            continue
        square = math.fsum(
            statistics.variance(group) * (len(group) - 1) for group in groups if len(group) > 1
        )
        apart = _quantile(degrees) * math.sqrt(2 * square / degrees)
        worths[cell] = Worth(math.expm1(apart), sum(map(len, groups)))
    return worths


def _means(family: Sequence[Analysis]) -> Mapping[Cell, list[float]]:
    means: dict[Cell, list[float]] = {}
    for analysis in family:
        for one in analysis.estimates:
            values = [value for value in one.values if value is not None]
            if values and min(values) > 0:
                cell = (one.metric, tuple(sorted(one.treatment.items())), one.step)
                means.setdefault(cell, []).append(statistics.fmean(map(math.log, values)))
    return means


def _quantile(degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))
