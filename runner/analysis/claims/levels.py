"""Boards as a level: one board's share of an estimate, boards as units, the spread of both.

By default a claim is of the boards that were measured, and its units are blocks. One of
`scope: kind` is of boards of this kind: each board is one unit, the median of its blocks,
however many those were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.analysis.claims.pairing import units
from runner.analysis.model import Repetition
from runner.analysis.stats import components
from runner.analysis.stats.censored import median_of_bounds
from runner.analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.analysis.model import Estimate
    from runner.analysis.stats.components import Spread


def boards(measured: Iterable[Estimate]) -> tuple[str, ...]:
    """Name the boards that values are of, in their order of names."""
    return tuple(sorted({one.board for found in measured for one in units(found)}))


def on_board(found: Estimate, board: str) -> Estimate:
    """Give an estimate of the units of one board alone."""
    at = [i for i, one in enumerate(units(found)) if one.board == board]
    return _estimated(
        found,
        tuple(found.values[i] for i in at if i < len(found.values)),
        tuple(units(found)[i] for i in at),
        tuple(found.texts[i] for i in at) if found.texts else (),
    )


def of_kind(measured: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """Give estimates whose units are boards: of each the median over its blocks."""
    return tuple(found if found.texts else _by_board(found) for found in measured)


def _by_board(found: Estimate) -> Estimate:
    values: list[float | None] = []
    of: list[Repetition] = []
    for board in boards([found]):
        own = on_board(found, board)
        known = any(value is not None for value in own.values)
        side = "unknown" if own.median is None and (known or _censored(own)) else ""
        values.append(own.median)
        begun = [one.started_at for one in own.repetitions if one.started_at]
        of.append(Repetition(0, board, started_at=min(begun, default=0.0), censored=side))
    return _estimated(found, tuple(values), tuple(of), ())


def _censored(found: Estimate) -> bool:
    return any(one.censored for one in found.repetitions)


def _estimated(
    found: Estimate,
    values: tuple[float | None, ...],
    of: tuple[Repetition, ...],
    texts: tuple[str | None, ...],
) -> Estimate:
    sides = tuple(one.censored for one in of)
    median = median_of_bounds(values, sides, LEVEL, found.unit)
    n = sum(v is not None or bool(s) for v, s in zip(values, sides, strict=False)) or len(texts)
    return replace(
        found, values=values, repetitions=of, texts=texts, n=n, median=median.median,
        interval=median.interval, level=median.level, why=median.why or found.why,
    )  # fmt: skip


def spread(found: Estimate) -> Spread | None:
    """Give how much an estimate's values vary between boards and within them.

    None where there is one board, one block on each, or a value that is only a bound.
    """
    if found.exact or found.texts or _censored(found):
        return None
    groups: dict[str, list[float]] = {}
    for value, one in zip(found.values, units(found), strict=True):
        if value is not None:
            groups.setdefault(one.board, []).append(value)
    return components.spread(list(groups.values()))
