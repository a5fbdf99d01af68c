"""The values of a metric in one cell, one for each unit of replication, beside their keys.

Repetitions within one boot share what that boot is worth. Where a boot lasts several blocks, it
counts once, with the median of what it holds: estimates, claims and comparisons have as many
units as there were boots (`by_unit`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from runner.analysis.model import Repetition
from runner.analysis.stats.censored import bounds, middle
from runner.spec.sections.replication import every

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.analysis.model import Trial
    from runner.spec.experiment import Experiment

    Outermost = Literal["", "boot", "build"]

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
    blocks: dict[Key, Repetition] = {}
    for column in columns:
        for one in column:
            known = blocks.get(one.key)
            if known is None:
                blocks[one.key] = replace(one, censored="")
            elif one.started_at and (not known.started_at or one.started_at < known.started_at):
                blocks[one.key] = replace(known, started_at=one.started_at)
    return tuple(sorted(blocks.values(), key=lambda one: one.key))


def by_key(rows: Iterable[Row]) -> Mapping[Key, Row]:
    """Give rows by the key of their unit; of two with one key the later."""
    return {row.of.key: row for row in rows}


def outermost(experiment: Experiment) -> Outermost:
    """Name the level whose units count; empty where each block is one of its own."""
    levels = experiment.repeat.levels
    if levels is None:
        return ""
    if levels.boot is not None:
        return "boot" if (every(levels.boot) or 1) > 1 else ""
    return "build" if (every(levels.build) or 1) > 1 else ""


def by_unit(rows: Sequence[Row], level: Outermost) -> list[Row]:
    """Give a row for each unit of the level; the rows themselves where they are texts."""
    if not level or any(isinstance(row.number, str) for row in rows):
        return list(rows)
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.of.board, getattr(row.of, level)), []).append(row)
    return [_one(group, level) for group in groups.values()]


def _one(group: Sequence[Row], level: Outermost) -> Row:
    of = _unit(group, level)
    units = bounds([row.known for row in group], [row.of.censored for row in group])
    if not units:
        return Row(None, next((row.why for row in group if row.why), ""), of)
    least = middle(sorted(low for low, _ in units))
    most = middle(sorted(high for _, high in units))
    if least == most:
        return Row(least, "", of)
    why = next((row.why for row in group if row.of.censored), "")
    if most == float("inf") and least != -most:
        return Row(least, why, replace(of, censored="above"))
    if least == -float("inf") and most != -least:
        return Row(most, why, replace(of, censored="below"))
    return Row(None, why, replace(of, censored="unknown"))


def _unit(group: Sequence[Row], level: Outermost) -> Repetition:
    """Give the key that all treatments have of the unit: of its levels, and no repetition."""
    first = group[0].of
    starts = [row.of.started_at for row in group if row.of.started_at]
    return replace(
        first,
        repetition=0,
        boot=first.boot if level == "boot" else "",
        build=first.build if level == "build" else "",
        session="",
        started_at=min(starts, default=0.0),
        censored="",
    )
