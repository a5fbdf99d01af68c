"""Read all facts and all current values of a host in one go; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from runner.kinds.generators import tools
from runner.records.host_events import FactsRead, HostSaid, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.executor.agent import Agent
    from runner.records.cells import Cell, PortsTried
    from runner.records.host_events import Hold
    from runner.records.plain import Json
    from runner.records.program import Asked


@dataclass(frozen=True, slots=True)
class HostState:
    """Whether the host is free, and what it still has to put back."""

    root: bool = False
    busy: Hold | None = None
    journal_entries: int = 0
    journal_runs: tuple[str, ...] = ()
    ports: PortsTried | None = None
    """How many of a client's ports others have, where that was asked."""


class Probe(NamedTuple):
    """What a probe brings: facts by dotted name, values by cell id, the host's state."""

    facts: dict[str, Json]
    values: dict[str, Value]
    host: HostState


def facts_asked(sysctls: Sequence[str]) -> Asked:
    """Give what asks for all facts in a program: the tools to look for, further parameters."""
    asked: Asked = {"facts": True, "tools": tools()}
    if sysctls:
        asked["sysctls"] = list(sysctls)
    return asked


def probe(
    agent: Agent,
    cells: Iterable[Cell] = (),
    *,
    facts: bool = True,
    sysctls: Sequence[str] = (),
    ports: bool = False,
) -> Probe:
    """Read `cells` and, if asked, all facts, those of further `sysctls` among them; count ports."""
    facts_read: dict[str, Json] = {}
    values: dict[str, Value] = {}
    host = HostState()
    program = facts_asked(sysctls)
    program.update({"program": "probe", "facts": facts, "cells": list(cells)})
    if ports:
        program["ports"] = True
    for event in agent.run(program):
        match event:
            case FactsRead():
                facts_read = event.facts
            case Value():
                values[event.id] = event
            case HostSaid():
                journal = event.journal
                host = HostState(event.root, event.busy, journal.entries, journal.runs, event.ports)
    return Probe(facts_read, values, host)
