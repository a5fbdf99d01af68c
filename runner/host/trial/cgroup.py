"""The workload's control groups: made fresh, limits read back, removed with all that is in them.

They are brought up by `converge`, so a folder is in the journal before mkdir(2) and a
killed agent leaves nothing that `restore` does not know of. Folders that exist
already are used as they are and left, except for those that the workload joins: these
have to be fresh, since counters and page cache of an earlier workload would be taken
for this one's.
"""

from __future__ import annotations

import os

from ..cells import cells, groups
from ..errors import CellError, reason
from ..programs import converge
from ..sample import extract
from ..state import journal
from ..state.state_folder import Refused, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Sequence

    from runner.records.cells import Cell
    from runner.records.program import Asked, Groups, TrialAsked

    from ..emit import Emit

# v1 and v2 name the count of OOM kills in the group alike, in different files
OOM_FILES = ("memory.events", "memory.oom_control")


class Enclosure:
    """Groups of one workload. `make` and `remove` may be called again for the next one."""

    def __init__(self, here: State, program: TrialAsked, plan: Groups) -> None:
        self._here, self._program = here, program
        self.join = [str(path) for path in plan["join"]]
        self._cells = list(plan["cells"])
        self._own_folders: List[str] = []
        self._oom_file: Optional[str] = None

    def make(self, emit: Emit) -> None:
        """Create and write all cells in order; Refused when the kernel keeps something else."""
        for path in self.join:
            if os.path.isdir(path):
                self._clear(path)
        folders = [str(cell["path"]) for cell in self._cells if cell["via"] == "cgroup"]
        self._own_folders = [path for path in folders if not os.path.isdir(path)]
        # over the state of the treatment, which stays in force
        program: Asked = {
            "run": self._program["run"],
            "hold": self._program.get("hold") or {},
            "cells": self._cells,
            "over": True,
        }
        apply(lambda say: converge.run(program, self._here, say), emit)
        self._oom_file = next(
            (
                os.path.join(folder, name)
                for folder in self.join
                for name in OOM_FILES
                if os.path.exists(os.path.join(folder, name))
            ),
            None,
        )

    def _clear(self, path: str) -> None:
        """Remove what a killed trial left; Refused for a group that is somebody else's."""
        key = journal.address({"id": path, "via": "cgroup", "path": path})
        changes = journal.read(self._here.journal).changes
        if not any(journal.address(one.cell) == key and one.prior is None for one in changes):
            raise Refused(
                "bad_program",
                f"{path} exists and was not made by a trial",
                "name another group, or remove this one with rmdir",
            )
        groups.remove(path)

    @property
    def folder(self) -> Optional[str]:
        """What {cgroup} stands for: the folder with the memory controller, else the first."""
        for folder in self.join:
            if os.path.exists(os.path.join(folder, "memory.stat")):
                return folder
        return self.join[0] if self.join else None

    def oom_kills(self) -> Optional[int]:
        """OOM kills in the group since it was made; None where the kernel does not count them."""
        if self._oom_file is None:
            return None
        try:
            with open(self._oom_file, encoding="ascii") as file:
                kills = extract.parse({"keys": ["oom_kill"]}, file.read())[0]
        except OSError:
            return None
        return None if kills is None else int(kills)

    def remove(self) -> List[str]:
        """End all members and remove the folders made; gives why for each that stays."""
        left = []
        for path in reversed(self._own_folders):
            try:
                groups.remove(path)
            except (OSError, CellError) as fault:
                if os.path.isdir(path):
                    left.append(f"{path}: {reason(fault)}")
        self._own_folders = []
        self._oom_file = None
        return left


def apply(work: Callable[[Emit], object], emit: Emit) -> None:
    """Do `work(emit)`, hand its `result` events on, and raise Refused for those that failed."""
    failed: List[str] = []

    def say(event: str, **fields: object) -> None:
        emit(event, **fields)
        if event == "result" and fields["outcome"] == "failed":
            failed.append(f"{fields['id']}: {fields['why']}")

    work(say)
    if failed:
        raise Refused("bad_program", "; ".join(failed), "ask for what this kernel takes")


def write_cells(wanted: Sequence[Cell], emit: Emit) -> None:
    """Write and read back cells that end with their namespace: they need no journal."""
    for cell in wanted:
        _write_cell(cell, emit)


def _write_cell(cell: Cell, emit: Emit) -> None:
    before = after = why = None
    outcome = "failed"
    try:
        before = cells.read(cell)
        cells.write(cell, cell["want"])
        after = cells.read(cell)
        if cells.equal(cell, cell["want"], after):
            outcome = "ok" if before == after else "changed"
        else:
            why = f"kernel kept {after!r}, not {cell['want']!r}"
    except (OSError, CellError, ValueError) as fault:
        why = reason(fault)
    emit("result", id=cell["id"], outcome=outcome, before=before, after=after, why=why)
