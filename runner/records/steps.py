"""What was asked of one step of a load, from the planner to the generator and in a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runner.records.printed import Asked

Expect = tuple[tuple[int, int], ...]
"""Ranges of HTTP statuses, both ends in."""
SUCCESS: Final[Expect] = ((200, 299),)


@dataclass(frozen=True)
class LoadStep:
    """One constant-load interval, as the planner wants it."""

    url: str
    connections: int
    duration_s: float
    threads: int
    """In a record: those that were used."""
    timeout_s: float = 2.0
    rate: float | None = None
    argv: tuple[str, ...] = ()
    expect: Expect = SUCCESS
    """Statuses of good answers."""
    numbers: tuple[Asked, ...] = ()
    """What is looked for in what the generator `command` prints; empty: its last JSON object."""


@dataclass(frozen=True)
class StepPlan:
    """What was asked of one step, as the analysis needs it; `load` is None where none came."""

    index: int
    name: str
    connections: int | None
    generator: str | None = None
    load: LoadStep | None = None
    warmup_s: float | None = None
    """None in a record made before it was kept."""
