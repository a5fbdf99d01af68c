"""Bring cells to their wanted values; the host journals every prior value first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.executor.results import collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runner.executor.agent import Agent
    from runner.records.events import AnyEvent
    from runner.records.host_events import Result


def hold(controller: str, lease_s: float | None = None) -> dict[str, Any]:
    """Describe who holds the host, and for how long unheard of."""
    return {"controller": controller, "lease_s": lease_s}


def converge(
    agent: Agent,
    cells: Iterable[Mapping[str, Any]],
    *,
    check: bool = False,
    held: Mapping[str, Any] | None = None,
    on_event: Callable[[AnyEvent], None] | None = None,
) -> list[Result]:
    """Apply `cells` in the order given; with `check`, say only what would change.

    A cell that failed is a Result, not an exception. `on_event` sees every event
    as it comes, so that a record has what was done before a link broke.
    """
    program = {"program": "converge", "cells": list(cells), "check": check, "hold": held}
    return collect(agent.run(program), on_event)
