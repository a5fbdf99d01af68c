"""What is held, journalled and running on this host."""

from __future__ import annotations

import json
import os
import stat

from ..state import holds, journal, state_folder
from . import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional

    from runner.records.cells import TrialSaid

    from ..emit import Emit

_TAIL_BYTES = 65536


def run(where: state_folder.State, emit: Emit) -> None:
    """Say one `status` event, and an `applied` one for everything that is changed."""
    from ..state import applied

    held = holds.holder(where)
    recorded = journal.read(where.journal)
    emit(
        "status",
        hold=held,
        alive=holds.alive(held),
        journal={
            "entries": len(recorded.changes),
            "runs": list(dict.fromkeys(change.run for change in recorded.changes)),
            "damaged": list(recorded.damaged),
        },
        trials=trials(where),
    )
    applied.run(where, emit)


def trials(where: state_folder.State) -> List[TrialSaid]:
    """List every trial with a spool: its size, whether it runs, and its last event."""
    rows: List[TrialSaid] = []
    root = where.path("runs")
    for run_id in _folders(root):
        for trial in _folders(os.path.join(root, run_id)):
            spool = os.path.join(root, run_id, trial, "spool.jsonl")
            if attach.NAME.fullmatch(run_id) and attach.NAME.fullmatch(trial) and _regular(spool):
                last = _last_event(spool)
                rows.append(
                    {
                        "run": run_id,
                        "trial": trial,
                        "running": attach.supervised(os.path.join(root, run_id, trial)),
                        "bytes": os.path.getsize(spool),
                        "last": None if last is None else last.get("event"),
                        "at": None if last is None else last.get("at"),
                    }
                )
    return rows


def _folders(path: str) -> List[str]:
    try:
        return sorted(name for name in os.listdir(path) if os.path.isdir(os.path.join(path, name)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _last_event(path: str) -> Optional[Dict[str, object]]:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().split(b"\n")[:-1]  # behind the last newline a line is being written
    for line in reversed(lines):
        try:
            event = json.loads(line)
        except ValueError:
            return None
        return event if isinstance(event, dict) else None
    return None
