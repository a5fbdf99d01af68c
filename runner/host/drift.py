"""Whether the applied state is still there: the journal's values against the kernel's.

Only what costs next to nothing to read: kernel files, links, swaps. It is read beside a
measurement, after each step.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping

from . import cells, journal
from .emit import shown
from .state import State

CHEAP = ("pseudo", "link", "swap")


class Drift:
    """What this run has applied on this host, as it was read back."""

    def __init__(self, here: State, program: Mapping[str, Any]) -> None:
        private = program.get("network") == "isolated"
        last: Dict[journal.Address, journal.Change] = {}
        for change in journal.read(here.journal).changes:
            path = str(change.cell.get("path", ""))
            # a namespace of the trial's own has links and net.* keys of its own
            elsewhere = private and (
                change.cell["via"] == "link" or path.startswith("/proc/sys/net/")
            )
            if change.cell["via"] in CHEAP and change.want is not None and not elsewhere:
                last[journal.address(change.cell)] = change
        self._changes = [change for change in last.values() if change.sealed and _there(change)]

    def found(self) -> List[Dict[str, Any]]:
        """Give what is no longer as it was applied."""
        drifted = []
        for change in self._changes:
            now = cells.try_read(change.cell)
            if now["error"] is None and cells.same(change.cell, change.kept, now["value"]):
                continue
            drifted.append(
                {
                    "id": change.cell["id"],
                    "kept": shown(change.cell, change.kept),
                    "now": now["error"] or shown(change.cell, now["value"]),
                }
            )
        return drifted

    def __len__(self) -> int:
        return len(self._changes)


def _there(change: journal.Change) -> bool:
    # limits of an earlier trial's groups went with their folders
    return change.cell["via"] != "pseudo" or os.path.exists(str(change.cell["path"]))
