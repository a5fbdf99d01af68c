"""Whether the declared state is still there: what was applied and what was right already.

Looked at beside a measurement, after each step. There only what costs next to nothing is
read: kernel files, links, swaps, small files. What asks a command (units, modules, packages)
waits for the last step, whose load is over by then.
"""

from __future__ import annotations

import os

from ..cells import cells
from ..emit import shown
from . import journal
from .state_folder import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Tuple

    from runner.records.cells import Cell
    from runner.records.program import TrialAsked

    Same = Callable[[object], bool]
CHEAP = ("pseudo", "link", "swap", "cgroup", "file")
LARGE_BYTES = 1 << 18


class Drift:
    """What this host was brought to, as it was read back where it was changed."""

    def __init__(self, here: State, program: TrialAsked) -> None:
        expected: Dict[journal.Address, Tuple[Cell, object, Same]] = {}
        private = program.get("network") == "isolated"
        for cell in program.get("declared") or []:
            expected[journal.address(cell)] = (cell, cell["want"], _as_wanted(cell))
        for change in journal.read(here.journal).changes:
            # a fault's change is undone by now, and its command says nothing of the state
            if change.want is None or str(change.cell["id"]).startswith("fault:"):
                continue
            if private and str(change.cell.get("path", "")).startswith("/proc/sys/net/"):
                continue  # the namespace of the trial's own has what is declared, and no more
            place = journal.address(change.cell)
            if change.sealed:
                expected[place] = (change.cell, change.kept, _as_kept(change))
            else:
                expected.pop(place, None)
        self._all = [
            one
            for one in expected.values()
            if _there(one[0]) and not (private and _elsewhere(one[0]))
        ]

    def comparison(self, *, last: bool) -> Dict[str, object]:
        """Give how many cells were looked at, what is not as it was, and what was not read."""
        drifted: List[Dict[str, object]] = []
        unchecked: List[str] = []
        for cell, kept, same in self._all:
            if not last and not _cheap(cell):
                unchecked.append(str(cell["id"]))
                continue
            now, error = cells.try_read(cell)
            if error is None and same(now):
                continue
            current = error or shown(cell, _brief(now))
            drifted.append({"id": cell["id"], "kept": shown(cell, _brief(kept)), "now": current})
        looked = len(self._all) - len(unchecked)
        return {"cells": looked, "drifted": drifted, "unchecked": unchecked}

    def __len__(self) -> int:
        return len(self._all)


def _as_wanted(cell: Cell) -> Same:
    return lambda now: cells.equal(cell, cell["want"], now)


def _as_kept(change: journal.Change) -> Same:
    return change.left_as


def _brief(value: object) -> object:
    from .applied import brief

    return brief({}, value)


def _cheap(cell: Cell) -> bool:
    if cell["via"] != "file":
        return cell["via"] in CHEAP
    try:
        return os.lstat(str(cell["path"])).st_size <= LARGE_BYTES
    except OSError:
        return True


def _there(cell: Cell) -> bool:
    # groups of earlier trials went, with their limits
    return cell["via"] not in ("pseudo", "cgroup") or os.path.exists(str(cell["path"]))


def _elsewhere(cell: Cell) -> bool:
    """Whether it is a link of the host's, out of sight from a namespace of the trial's own."""
    return cell["via"] == "link" or str(cell["id"]).startswith("network:")
