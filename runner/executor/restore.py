"""Put a host back from its own journal alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.executor.probe import facts_asked
from runner.executor.results import collect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.executor.agent import Agent
    from runner.records.events import AnyEvent
    from runner.records.host_events import Result
    from runner.records.program import Asked


def restore(
    agent: Agent,
    *,
    force: bool = False,
    gone: str | None = None,
    leave_kept: bool = False,
    sysctls: Sequence[str] | None = None,
    on_event: Callable[[AnyEvent], None] | None = None,
) -> list[Result]:
    """Undo newest change first; with `force`, drifted values too. Safe to repeat.

    `gone` names a run whose controller is known to be dead: its hold does not count.
    `leave_kept` leaves what other runs declared to stay: the end of a run, not of a state.
    With `sysctls` the facts are read afterwards, these among them.
    """
    program: Asked = {"program": "restore", "force": force, "leave_kept": leave_kept}
    if sysctls is not None:
        program.update(facts_asked(sysctls))
    if gone is not None:
        program["gone"] = gone
    return collect(agent.run(program), on_event)
