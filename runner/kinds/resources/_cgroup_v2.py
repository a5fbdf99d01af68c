"""Cgroup v2: a group, the controllers its parents have to give it, its limits.

Source: Documentation/admin-guide/cgroup-v2.rst ("No internal process
constraint": only groups without processes give controllers to their children).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.kinds.resources.interface import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORMS = {
    "memory.max": "page",
    "memory.high": "page",
    "memory.swap.max": "page",
    "cpu.max": "words",
    "cpu.weight": "integer",
    "cpuset.cpus": "ranges",
    "cpuset.mems": "ranges",
    "pids.max": "words",
    "io.max": "words",
}


def group_cells(
    mount: str,
    folders: Sequence[str],
    limits: Mapping[str, str],
    controllers: Sequence[str],
    *,
    delegated: str,
    after: tuple[str, ...],
    needs_root: bool,
) -> tuple[list[str], list[Cell]]:
    """Give the folder to join and the cells that make it.

    `folders` are the group and those above it that are ours, top first;
    `delegated` is what they stand in, "" for the mount itself.
    """
    enable = " ".join(f"+{name}" for name in controllers)
    cells: list[Cell] = []

    def give(folder: str, after: tuple[str, ...]) -> tuple[str, ...]:
        if not enable:
            return after
        path = "/".join(part for part in (mount, folder, "cgroup.subtree_control") if part)
        this = f"cgroup:{folder}/subtree_control"
        cells.append(
            Cell(
                id=this,
                via="pseudo",
                path=path,
                want=enable,
                form="set",
                after=after,
                needs_root=needs_root,
            )
        )
        return (this,)

    after = give(delegated, after)
    for folder in folders:
        group_id = f"cgroup:{folder}"
        path = f"{mount}/{folder}"
        cells.append(
            Cell(
                id=group_id,
                via="cgroup",
                path=path,
                want="present",
                after=after,
                needs_root=needs_root,
            )
        )
        after = give(folder, (group_id,)) if folder != folders[-1] else (group_id,)
    group = folders[-1]
    cells += [
        Cell(
            id=f"cgroup:{group}/{name}",
            via="pseudo",
            path=f"{mount}/{group}/{name}",
            want=limits[name],
            form=form,
            after=after,
            needs_root=needs_root,
        )
        for name, form in _FORMS.items()
        if name in limits
    ]
    return [f"{mount}/{group}"], cells
