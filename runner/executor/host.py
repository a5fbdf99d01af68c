"""What a host has of our runs, and how it is left tidy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.executor.agent import Agent, Event


def status(agent: Agent) -> list[Event]:
    """Give the events that tell of hold, journal and trials."""
    return [event for event in agent.run({"program": "status"}) if event["event"] != "end"]


def forget(agent: Agent) -> None:
    """Remove this run's folder from the host; refused while the host still needs it."""
    for _ in agent.run({"program": "forget"}):
        pass
