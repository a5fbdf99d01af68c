"""The values of a metric in one cell, one for each unit of replication, beside their keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.model import Repetition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.analysis.model import Trial

Cell = tuple[tuple[tuple[str, str], ...], str | None]
"""Treatment and step."""
Key = tuple[str, str, str, str, int]

BEYOND: Final = {"higher": "below", "lower": "above"}
"""Where a unit ranks that did not get so far, by which direction is better."""


@dataclass(frozen=True)
class Row:
    """One value, the reason why there is none, and which unit it is of."""

    number: float | str | None
    why: str
    of: Repetition

    @property
    def known(self) -> float | None:
        """The number, where it is one and known as it is."""
        return float(self.number) if isinstance(self.number, int | float) else None


def of_trial(trial: Trial) -> Repetition:
    """Say which unit a trial belongs to."""
    return Repetition(
        trial.repetition, trial.host, trial.boot, trial.build, trial.session, trial.started_at
    )


def within(row: Row, ends: tuple[float | None, float | None]) -> Row:
    """Mark a value at or beyond an end of what its instrument can show."""
    value = row.known
    if value is None:
        return row
    low, high = ends
    if high is not None and value >= high:
        return replace(row, number=high, of=replace(row.of, censored="above"))
    if low is not None and value <= low:
        return replace(row, number=low, of=replace(row.of, censored="below"))
    return row


def joined(columns: Sequence[Sequence[Repetition]]) -> tuple[Repetition, ...]:
    """Give every block that any of the columns has, in the order first seen, with its start.

    Columns that know a level and columns that do not are told apart by nothing else: a key
    is compared whole.
    """
    found: dict[Key, Repetition] = {}
    for column in columns:
        for one in column:
            known = found.get(one.key)
            if known is None:
                found[one.key] = replace(one, censored="")
            elif one.started_at and (not known.started_at or one.started_at < known.started_at):
                found[one.key] = replace(known, started_at=one.started_at)
    return tuple(sorted(found.values(), key=lambda one: one.key))


def by_key(rows: Iterable[Row]) -> Mapping[Key, Row]:
    """Give rows by the key of their unit; of two with one key the later."""
    return {row.of.key: row for row in rows}
