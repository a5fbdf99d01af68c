"""The order in which cells are applied, derived from `after`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.kinds.resources.interface import Cell


def ordered(cells: Iterable[Cell]) -> list[Cell]:
    """Sort so that every cell follows what it names in `after`.

    Stable: cells without a relation keep their order. An id that is not among
    the cells is not a constraint (it was skipped on this host). A cycle is a
    SpecError that names its members.
    """
    todo = {cell.id: cell for cell in cells}
    done: dict[str, Cell] = {}
    path: list[str] = []

    def visit(cell: Cell) -> None:
        if cell.id in done:
            return
        if cell.id in path:
            circle = [*path[path.index(cell.id) :], cell.id]
            raise SpecError(
                "resources wait for each other: " + " → ".join(circle),
                fix="take one of them out",
            )
        path.append(cell.id)
        for before in cell.after:
            if before in todo:
                visit(todo[before])
        path.pop()
        done[cell.id] = cell

    for cell in todo.values():
        visit(cell)
    return list(done.values())
