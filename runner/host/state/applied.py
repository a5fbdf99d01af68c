"""What of our changes is in place, and what someone else has changed since; changes nothing."""

from __future__ import annotations

import base64

from ..cells import cells
from ..emit import hide, shown
from ..errors import CellError, reason
from . import journal, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping

    from ..emit import Emit

_FAULTS = (OSError, CellError, ValueError)


def run(where: state_folder.State, emit: Emit) -> None:
    """Say one `applied` event per address of the journal, oldest first."""
    by_address: Dict[journal.Address, List[journal.Change]] = {}
    for change in journal.read(where.journal).changes:
        by_address.setdefault(journal.address(change.cell), []).append(change)
    boot = state_folder.boot_id()
    for changes in by_address.values():
        emit("applied", **_said(changes, boot))


def _said(changes: List[journal.Change], boot: str) -> Dict[str, Any]:
    """Say what was there, what we set, what is there now.

    `state`: applied, drifted (someone changed it since), back (the prior value is
    there again), unfinished (a change that was cut short), rebooted, unreadable.
    """
    first, last = changes[0], changes[-1]
    cell = last.cell
    ours = last.kept if last.sealed else last.want
    found: Dict[str, Any] = {
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
        return {**found, "state": "rebooted", "why": "the host was started anew since"}
    try:
        now = cells.read(cell)
    except _FAULTS as fault:
        why = hide(cell, reason(fault), first.prior, ours)
        return {**found, "state": "unreadable", "why": why}
    found["now"] = brief(cell, now)
    if not last.sealed:
        found["state"] = "unfinished"
    elif cells.same(cell, last.kept, now) or _wanted(last, now):
        found["state"] = "applied"
    elif cells.same(cell, first.prior, now):
        found["state"] = "back"
    else:
        found["state"] = "drifted"
    return found


def _wanted(change: journal.Change, now: Any) -> bool:
    if "coupled_to" in change.cell or change.want is None:
        return False
    return cells.equal(change.cell, change.want, now)


def brief(cell: Mapping[str, Any], value: Any) -> Any:
    """Give a value as it is shown: of a file its size and not its text, of a secret nothing."""
    if cell.get("secret"):
        return shown(cell, value)
    if isinstance(value, dict) and "bytes_b64" in value:
        kept = {key: value[key] for key in ("type", "mode", "uid", "gid") if key in value}
        return {**kept, "size": len(base64.b64decode(value["bytes_b64"] or ""))}
    return value
