"""Whether a program's events are all that it has to give before an `end` that says all is well.

A host that is broken, or lies, may end early: that is an error, and not an empty answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.records.host_events import (
    Blob,
    FactsRead,
    Forgotten,
    HostSaid,
    Rebooting,
    Result,
    Status,
    Stopped,
    Value,
)

if TYPE_CHECKING:
    from runner.records.events import AnyEvent
    from runner.records.program import Program

_NEEDED: dict[str, tuple[type, ...]] = {
    "probe": (HostSaid,),
    "put": (Blob,),
    "forget": (Forgotten,),
    "reboot": (Rebooting,),
    "stop": (Stopped,),
    "status": (Status,),
}


class Completeness:
    """Is told of every event of one program."""

    def __init__(self, program: Program) -> None:
        name = str(program.get("program"))
        self._kinds = set(_NEEDED.get(name, ()))
        if name == "probe" and program.get("facts", True):
            self._kinds.add(FactsRead)
        cells = program.get("cells", ()) if name in ("probe", "converge") else ()
        known = cells if isinstance(cells, list | tuple) else ()
        self._cells = {str(cell["id"]) for cell in known}

    def saw(self, event: AnyEvent) -> None:
        """Take note of an event."""
        self._kinds.discard(type(event))
        if isinstance(event, Value | Result):
            self._cells.discard(event.id)

    def lacking(self) -> str:
        """Say what has not come, or nothing."""
        missing = sorted(kind.__name__ for kind in self._kinds) + sorted(self._cells)
        return ", ".join(missing[:5])
