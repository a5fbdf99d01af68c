"""How much values vary between groups and within them: nested.py, one level around the values."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.analysis.stats.intervals import LEVEL
from runner.analysis.stats.nested import components

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Spread:
    """Two standard deviations, each with its interval, in the unit of the values."""

    between: float
    between_interval: tuple[float, float]
    within: float
    within_interval: tuple[float, float]
    mean: float
    """The mean of the groups' means."""
    groups: int
    values: int
    level: float


def spread(groups: Sequence[Sequence[float]]) -> Spread | None:
    """Give the spread between and within groups; None with fewer than two, or one value in each."""
    filled = [list(group) for group in groups if group]
    k, n = len(filled), sum(map(len, filled))
    if k < 2 or n - k < 1:
        return None
    paths = [((str(at),), value) for at, group in enumerate(filled) for value in group]
    between, within = components(paths, ["group"])
    assert between.interval is not None  # noqa: S101 - both levels have degrees of freedom
    assert within.interval is not None  # noqa: S101
    return Spread(
        between=between.spread,
        between_interval=between.interval,
        within=within.spread,
        within_interval=within.interval,
        mean=statistics.fmean(map(statistics.fmean, filled)),
        groups=k,
        values=n,
        level=LEVEL,
    )
