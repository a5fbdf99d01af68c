"""A line of changes.jsonl: what became of one cell of a host, and in which phase."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from runner.records.cells import Cell
from runner.records.outcome import CellOutcome, Phase
from runner.records.plain import Json

if TYPE_CHECKING:
    from runner.records.host_events import Result


class CellChange(msgspec.Struct, frozen=True, kw_only=True):
    """One result of converge or restore."""

    phase: Phase = "converge"
    host: str = ""
    id: str
    outcome: CellOutcome
    before: Json = None
    """The cell's value; None where there was none."""
    after: Json = None
    why: str | None = ""
    cell: Cell | None = None
    """Where it is read again; of what was changed alone."""
    treatment: str = ""
    """Whose state it is of; empty for the base's."""

    @classmethod
    def of(
        cls, phase: Phase, host: str, result: Result, cell: Cell | None = None, treatment: str = ""
    ) -> CellChange:
        """Make it of what a host said."""
        return cls(
            phase=phase,
            host=host,
            id=result.id,
            outcome=result.outcome,
            before=result.before,
            after=result.after,
            why=result.why or "",
            cell=cell if result.outcome == "changed" else None,
            treatment=treatment,
        )

    @property
    def sysctl(self) -> str | None:
        """Name of the kernel parameter that it is; None for any other cell."""
        kind, _, name = self.id.partition(":")
        return name if kind == "sysctl" else None

    def written(self) -> dict[str, Json]:
        """Give what is written of it; what is not said is left out."""
        fields: dict[str, Json] = msgspec.to_builtins(self)
        for name, empty in (("cell", None), ("treatment", "")):
            if fields[name] == empty:
                del fields[name]
        return fields


def change_of(line: bytes) -> CellChange:
    """Read one line; ValueError where it is none.

    Text that is not UTF-8 stands there as escapes of lone surrogates, which msgspec refuses.
    """
    try:
        return msgspec.convert(json.loads(line), CellChange)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ValueError(f"not a change of a host ({error})") from None
