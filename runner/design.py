"""The treatments of an experiment: every cell of its factors' matrix that is not skipped."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Skip(Protocol):
    """A part of the matrix that is left out, as `runner.spec` reads it."""

    @property
    def when(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Cell:
    """One treatment: a level of each factor."""

    index: int
    levels: Mapping[str, str]

    @property
    def name(self) -> str:
        """Short name, fit for a file: `flags=all,server=nethttp`, or `only`."""
        return ",".join(f"{factor}={level}" for factor, level in self.levels.items()) or "only"


@dataclass(frozen=True)
class Design:
    """The matrix in the order written: the last factor varies fastest."""

    cells: tuple[Cell, ...]
    skipped: tuple[tuple[Mapping[str, str], str], ...] = ()
    """(levels, why) of every cell left out."""
    baseline: Mapping[str, str] | None = None

    def at(self, levels: Mapping[str, str]) -> Cell | None:
        """Give the cell with exactly these levels, or None where it is skipped or unknown."""
        return next((cell for cell in self.cells if dict(cell.levels) == dict(levels)), None)

    def select(self, where: Mapping[str, str]) -> tuple[Cell, ...]:
        """Give the cells that have all the levels named; all of them for an empty choice."""
        return tuple(
            cell
            for cell in self.cells
            if all(cell.levels.get(factor) == level for factor, level in where.items())
        )

    def baseline_of(self, cell: Cell) -> Cell | None:
        """Give the cell that this one is compared with: the same, but for the baseline's factors.

        With `baseline: {flags: default}` the cell (flags=all, server=fasthttp) is
        compared with (flags=default, server=fasthttp): one factor at a time, all
        else equal. None for the baseline itself, and where it was skipped.
        """
        if not self.baseline:
            return None
        wanted = {**cell.levels, **self.baseline}
        return None if wanted == dict(cell.levels) else self.at(wanted)


def design(
    factors: Mapping[str, Sequence[str]],
    skip: Iterable[Skip] = (),
    baseline: Mapping[str, str] | None = None,
) -> Design:
    """Cross all levels (full factorial design: Box, Hunter and Hunter 2005, §5.2).

    One empty cell without factors. ValueError for a skip rule or baseline that
    names an unknown factor or level, and for a matrix with nothing left.
    """
    rules = list(skip)
    for where in [*(rule.when for rule in rules), *([baseline] if baseline else [])]:
        for factor, level in where.items():
            if level not in factors.get(factor, ()):
                raise ValueError(f"{factor}={level} is no level of the design")
    cells: list[Cell] = []
    left_out: list[tuple[Mapping[str, str], str]] = []
    for combination in itertools.product(*factors.values()):
        levels = dict(zip(factors, combination, strict=True))
        why = next((rule.why for rule in rules if _matches(levels, rule.when)), None)
        if why is None:
            cells.append(Cell(len(cells), levels))
        else:
            left_out.append((levels, why))
    if not cells:
        raise ValueError("every cell of the design is skipped")
    return Design(tuple(cells), tuple(left_out), baseline or None)


def _matches(levels: Mapping[str, str], when: Mapping[str, str]) -> bool:
    return all(levels[factor] == level for factor, level in when.items())
