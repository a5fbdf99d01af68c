"""Read all facts and all current values of a host in one go; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.kinds.generators import tools
from runner.records.host_events import FactsRead, HostSaid, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.executor.agent import Agent
    from runner.records.host_events import Hold
    from runner.records.plain import Json


@dataclass(frozen=True, slots=True)
class HostState:
    """Whether the host is free, and what it still has to put back."""

    root: bool = False
    busy: Hold | None = None
    journal_entries: int = 0
    journal_runs: tuple[str, ...] = ()


class Probe(NamedTuple):
    """What a probe brings: facts by dotted name, values by cell id, the host's state."""

    facts: dict[str, Json]
    values: dict[str, Value]
    host: HostState


def probe(agent: Agent, cells: Iterable[Mapping[str, Any]] = (), *, facts: bool = True) -> Probe:
    """Read `cells` and, if asked, all facts."""
    found: dict[str, Json] = {}
    values: dict[str, Value] = {}
    host = HostState()
    program = {"program": "probe", "facts": facts, "cells": list(cells), "tools": tools()}
    for event in agent.run(program):
        match event:
            case FactsRead():
                found = event.facts
            case Value():
                values[event.id] = event
            case HostSaid():
                host = HostState(event.root, event.busy, event.journal.entries, event.journal.runs)
    return Probe(found, values, host)
