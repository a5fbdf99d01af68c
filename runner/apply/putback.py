"""Whether a host is as it was: what the record says was changed against what is there.

A host puts itself back from its own journal. That journal may be damaged or gone, and
then it says nothing of what it lacks; the record of the run, on the controller, does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.executor.probe import probe
from runner.host.cells import cells
from runner.host.emit import MASK, described
from runner.records.outcome import BACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.executor.agent import Agent
    from runner.records.cells import Cell
    from runner.records.changes import CellChange
    from runner.records.host_events import Result
    from runner.records.plain import Json
_ADDRESS: Final = frozenset((
    "id", "via", "path", "name", "attr", "read", "parse", "form", "secret", "runtime",
))  # fmt: skip
_BOOT: Final[Cell] = {"id": "boot", "via": "pseudo", "path": "/proc/sys/kernel/random/boot_id"}


@dataclass(frozen=True)
class Changed:
    """One cell that a run has changed, and what it held before."""

    cell: Cell
    before: Json
    boot_id: str | None = None
    """The boot in which that was: a later one has taken kernel values."""

    @property
    def id(self) -> str:
        """Name of the cell."""
        return str(self.cell["id"])

    def is_back(self, now: object) -> bool:
        """Say whether a value is the one from before; of a hidden one only what is shown."""
        return cells.same(self.cell, self.before, now)


def address_of(result_id: str, cell: Cell | None) -> Cell | None:
    """Give what is needed to read a cell again; None for what is not read by its name."""
    if cell is None:
        # a folder that was missing on the way to a file, or a group above a group
        via, _, path = result_id.partition(":")
        if via not in ("file", "cgroup") or not path.startswith("/"):
            return None
        return {"id": result_id, "via": via, "path": path, "form": "exact", "runtime": False}
    if cell.get("keep") or cell.get("action"):
        return None
    kept = cell.copy()
    for key in set(kept) - _ADDRESS:
        kept.pop(key, None)  # type: ignore[misc]  # a key that a cell may lack
    return kept


def outstanding(
    changes: Iterable[CellChange], host: str, boot_id: str | None
) -> dict[str, Changed]:
    """Give what a record says was changed on a host and not put back, by the cell's id."""
    changed: dict[str, Changed] = {}
    for change in changes:
        name = change.id
        if change.host != host:
            continue
        if change.phase == "restore" and change.outcome in BACK and name in changed:
            skipped = change.outcome == "skipped"  # a boot has taken it
            if skipped or changed[name].is_back(change.after):
                del changed[name]
        elif change.outcome == "changed" and change.cell is not None:
            changed.setdefault(name, Changed(change.cell, change.before, boot_id))
    return changed


def doubtful(changed: Iterable[Changed], results: Sequence[Result]) -> list[Changed]:
    """Give what a restore did not name, or says it has put back to something else."""
    by_id = {result.id: result for result in results}
    unsure = []
    for one in changed:
        result = by_id.get(one.id)
        if result is not None and (result.failed or result.outcome == "skipped"):
            continue  # said already, with its reason
        if result is None or not one.is_back(result.after):
            unsure.append(one)
    return unsure


def failures(changed: Mapping[str, Changed], results: Sequence[Result]) -> list[str]:
    """Say of each cell that a restore left as it was why, and what was there before the run."""
    sentences = []
    for result in results:
        if result.failed:
            one = changed.get(result.id)
            was = (
                "" if one is None else f"; before the run it was {described(one.cell, one.before)}"
            )
            sentences.append(f"{result.id} {result.outcome}: {result.why}{was}")
    return sentences


def not_back(agent: Agent, changed: Sequence[Changed]) -> list[str]:
    """Read what is doubtful once more; say of each that is not as it was what it was."""
    if not changed:
        return []
    values = probe(agent, [_BOOT, *(one.cell for one in changed)], facts=False).values
    boot_id = str(values["boot"].value).strip()
    problems = []
    for one in changed:
        now = values.get(one.id)
        booted = one.boot_id is not None and one.boot_id != boot_id
        if now is None or (booted and one.cell.get("runtime", True)):
            continue
        was = described(one.cell, one.before)
        if now.error is not None:
            problems.append(f"{one.id} was {was} before the run and cannot be read: {now.error}")
        elif now.value == one.before == MASK:
            problems.append(f"{one.id} is secret, and the host's journal does not know of it")
        elif not one.is_back(now.value):
            problems.append(
                f"{one.id} was {was} before the run and is {described(one.cell, now.value)}: "
                "the host's journal does not know the value from before"
            )
    return problems
