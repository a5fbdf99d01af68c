"""Bring cells to their wanted values; the host journals every prior value first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.executor.probe import facts_asked
from runner.executor.results import collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from runner.executor.agent import Agent
    from runner.records.cells import Cell, Hold
    from runner.records.events import AnyEvent
    from runner.records.host_events import Result
    from runner.records.program import Asked


def hold(controller: str, lease_s: float | None = None) -> Hold:
    """Describe who holds the host, and for how long unheard of."""
    return {"controller": controller, "lease_s": lease_s}


def converge(
    agent: Agent,
    cells: Iterable[Cell],
    *,
    check: bool = False,
    held: Hold | None = None,
    layer: str = "",
    over: bool = False,
    sysctls: Sequence[str] | None = None,
    on_event: Callable[[AnyEvent], None] | None = None,
) -> list[Result]:
    """Apply `cells` in the order given; with `check`, say only what would change.

    A cell that failed is a Result, not an exception. `on_event` sees every event
    as it comes, so that a record has what was done before a link broke.

    What an earlier `layer` of the run has set is put back first (results that are `undone`), but
    with `over`. With `sysctls` the facts are read afterwards, these among them.
    """
    program: Asked = {
        "program": "converge",
        "cells": list(cells),
        "check": check,
        "hold": held,
    }
    if layer:
        program["layer"], program["over"] = layer, over
    if sysctls is not None:
        program.update(facts_asked(sysctls))
    return collect(agent.run(program), on_event)
