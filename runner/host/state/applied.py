"""What of our changes is in place, and what someone else has changed since; changes nothing."""

from __future__ import annotations

from ..cells import cells
from ..emit import MASK, hide, shown, summary
from ..errors import CellError, reason
from . import journal, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

    from runner.records.cells import Cell

    from ..emit import Emit
_FAULTS = (OSError, CellError, ValueError)


def run(where: state_folder.State, emit: Emit) -> None:
    """Say one `applied` event per address of the journal, oldest first."""
    by_address: Dict[journal.Address, List[journal.Change]] = {}
    for change in journal.read(where.journal).changes:
        by_address.setdefault(journal.address(change.cell), []).append(change)
    boot = state_folder.boot_id()
    for changes in by_address.values():
        emit("applied", **_event(changes, boot))


def _event(changes: List[journal.Change], boot: str) -> Dict[str, object]:
    """Say what was there, what we set, what is there now.

    `state`: applied, drifted (someone changed it since), back (the prior value is
    there again), unfinished (a change that was cut short), rebooted, unreadable.
    """
    first, last = changes[0], changes[-1]
    cell = last.cell
    ours = last.kept if last.sealed else last.want
    event: Dict[str, object] = {
        "id": cell["id"],
        "run": last.run,
        "at": last.at,
        "prior": brief(cell, first.prior),
        "ours": brief(cell, ours),
        "now": None,
        "state": "applied",
        "why": None,
    }
    if last.runtime and last.boot_id != boot:
        return {**event, "state": "rebooted", "why": "the host was started anew since"}
    try:
        now = cells.read(cell)
    except _FAULTS as fault:
        why = hide(cell, reason(fault), first.prior, ours)
        return {**event, "state": "unreadable", "why": why}
    event["now"] = brief(cell, now)
    if not last.sealed:
        event["state"] = "unfinished"
    elif last.left_as(now) or last.asked(now):
        event["state"] = "applied"
    elif cells.same(cell, first.prior, now):
        event["state"] = "back"
    else:
        event["state"] = "drifted"
    return event


def brief(cell: Cell, value: object) -> object:
    """Give a value as it is shown: of a file its size and not its text, of a secret nothing."""
    if isinstance(value, dict) and "hidden" in value:
        return MASK  # of a secret that we set the journal has a hash alone
    if isinstance(value, dict) and "bytes_b64" in value:
        return summary(value)
    return shown(cell, value)
