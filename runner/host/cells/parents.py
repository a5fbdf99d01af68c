"""Folders that are missing above a file or a group: cells like any other, so that they go again."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

    from runner.records.cells import Cell


# the groups of units come with the units: systemd alone makes them
_UNITS = (".service", ".scope", ".slice")


def with_parents(wanted: Sequence[Cell]) -> List[Cell]:
    """Put the missing folders of files and groups before them, as cells of their own."""
    cells: List[Cell] = []
    known = {(cell["via"], str(cell.get("path"))) for cell in wanted}
    for cell in wanted:
        if cell["via"] in ("file", "cgroup") and cell.get("want") is not None:
            missing: List[str] = []
            parent = os.path.dirname(str(cell["path"]))
            while (
                not os.path.lexists(parent)
                and (cell["via"], parent) not in known
                and not (cell["via"] == "cgroup" and parent.endswith(_UNITS))
            ):
                missing.append(parent)
                known.add((cell["via"], parent))
                parent = os.path.dirname(parent)
            cells += [_parent(cell, path) for path in reversed(missing)]
        cells.append(cell)
    return cells


def _parent(cell: Cell, path: str) -> Cell:
    return {
        "id": f"{cell['via']}:{path}",
        "via": cell["via"],
        "path": path,
        "want": {"type": "dir"} if cell["via"] == "file" else "present",
        "form": "file" if cell["via"] == "file" else "exact",
        "runtime": cell.get("runtime", False),
        "keep": cell.get("keep", False),
        "after": cell.get("after", []),
    }
