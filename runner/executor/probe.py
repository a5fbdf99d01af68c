"""Read all facts and all current values of a host in one go; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.executor.agent import Agent


class Value(NamedTuple):
    """What one cell holds; `error` says why it could not be read."""

    value: Any
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HostState:
    """Whether the host is free, and what it still has to put back."""

    root: bool = False
    busy: Mapping[str, Any] | None = None
    journal_entries: int = 0
    journal_runs: tuple[str, ...] = ()


class Probe(NamedTuple):
    """What a probe brings: facts by dotted name, values by cell id, the host's state."""

    facts: dict[str, Any]
    values: dict[str, Value]
    host: HostState


def probe(agent: Agent, cells: Iterable[Mapping[str, Any]] = (), *, facts: bool = True) -> Probe:
    """Read `cells` and, if asked, all facts."""
    found: dict[str, Any] = {}
    values: dict[str, Value] = {}
    host = HostState()
    for event in agent.run({"program": "probe", "facts": facts, "cells": list(cells)}):
        match event["event"]:
            case "facts":
                found = event["facts"]
            case "value":
                values[event["id"]] = Value(event.get("value"), event.get("error"))
            case "host":
                host = host_state(event)
    return Probe(found, values, host)


def host_state(event: Mapping[str, Any]) -> HostState:
    """Make a HostState of a `host` event."""
    journal = event.get("journal") or {}
    return HostState(
        root=bool(event.get("root")),
        busy=event.get("busy"),
        journal_entries=int(journal.get("entries", 0)),
        journal_runs=tuple(journal.get("runs", ())),
    )
