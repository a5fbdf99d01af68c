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
    return tuple(sorted({one.board for estimate in measured for one in units(estimate)}))


def on_board(estimate: Estimate, board: str) -> Estimate:
    """Give an estimate of the units of one board alone."""
    at = [i for i, one in enumerate(units(estimate)) if one.board == board]
    return _estimated(
        estimate,
        tuple(estimate.values[i] for i in at if i < len(estimate.values)),
        tuple(units(estimate)[i] for i in at),
        tuple(estimate.texts[i] for i in at) if estimate.texts else (),
    )


def of_kind(measured: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """Give estimates whose units are boards: of each the median over its blocks."""
    return tuple(estimate if estimate.texts else _by_board(estimate) for estimate in measured)


def _by_board(estimate: Estimate) -> Estimate:
    values: list[float | None] = []
    of: list[Repetition] = []
    for board in boards([estimate]):
        own = on_board(estimate, board)
        known = any(value is not None for value in own.values)
        side = "unknown" if own.median is None and (known or _censored(own)) else ""
        values.append(own.median)
        begun = [one.started_at for one in own.repetitions if one.started_at]
        of.append(Repetition(0, board, started_at=min(begun, default=0.0), censored=side))
    return _estimated(estimate, tuple(values), tuple(of), ())


def _censored(estimate: Estimate) -> bool:
    return any(one.censored for one in estimate.repetitions)


def _estimated(
    estimate: Estimate,
    values: tuple[float | None, ...],
    of: tuple[Repetition, ...],
    texts: tuple[str | None, ...],
) -> Estimate:
    sides = tuple(one.censored for one in of)
    median = median_of_bounds(values, sides, LEVEL, estimate.unit)
    n = sum(v is not None or bool(s) for v, s in zip(values, sides, strict=False)) or len(texts)
    return replace(
        estimate, values=values, repetitions=of, texts=texts, n=n, median=median.median,
        interval=median.interval, level=median.level, why=median.why or estimate.why,
    )  # fmt: skip


def spread(estimate: Estimate) -> Spread | None:
    """Give how much an estimate's values vary between boards and within them.

    None where there is one board, one block on each, or a value that is only a bound.
    """
    if estimate.exact or estimate.texts or _censored(estimate):
        return None
    groups: dict[str, list[float]] = {}
    for value, one in zip(estimate.values, units(estimate), strict=True):
        if value is not None:
            groups.setdefault(one.board, []).append(value)
    return components.spread(list(groups.values()))
