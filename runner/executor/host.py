"""What a host has of our runs, and how it is left tidy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.records.host_events import Applied, Status

if TYPE_CHECKING:
    from runner.executor.agent import Agent


def status(agent: Agent) -> tuple[Status, list[Applied]]:
    """Give the hold, journal and trials of a host, and its journal against what is there."""
    host_status, applied = Status(), []
    for event in agent.run({"program": "status"}):
        if isinstance(event, Status):
            host_status = event
        elif isinstance(event, Applied):
            applied.append(event)
    return host_status, applied


def forget(agent: Agent) -> None:
    """Remove this run's folder from the host; refused while the host still needs it."""
    for _ in agent.run({"program": "forget"}):
        pass
