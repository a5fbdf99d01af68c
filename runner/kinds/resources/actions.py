"""actions: what has an effect and no state. Run once, after everything else is applied."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from runner.kinds.resources.interface import Cell, Facts, Json, Root, Values

WRITES = {
    "drop_caches": ("/proc/sys/vm/drop_caches", "3"),
    "compact_memory": ("/proc/sys/vm/compact_memory", "1"),
}


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Action = Literal["sync", "drop_caches", "compact_memory"]


Listed = BeforeValidator(_listed, json_schema_input_type=Action | list[Action])


class ActionsModel(Root[Annotated[tuple[Action, ...], Listed]]):
    """`actions: [sync, drop_caches]`."""


class Actions:
    """Write-only keys and sync(1)."""

    name = "actions"
    doc = "done once, last, in the order written: `[sync, drop_caches, compact_memory]`"
    absent = "failed: the kernel has no such key"
    fixed = "an action has an effect and no state: it cannot be taken back for the next treatment"
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = ActionsModel

    def candidates(self, payload: ActionsModel) -> list[Json]:  # noqa: ARG002 - an effect cannot be read
        """Read nothing."""
        return []

    def plan(self, payload: ActionsModel, facts: Facts, values: Values) -> list[Cell]:  # noqa: ARG002 - the same everywhere
        """One cell an action; each waits for the one before."""
        cells: list[Cell] = []
        for index, action in enumerate(payload.root):
            this = f"actions:{index}-{action}"
            after = (cells[-1].id,) if cells else ()
            if action == "sync":
                cell = Cell(
                    id=this,
                    via="argv",
                    name="sync",
                    read=("true",),
                    parse="(?!)",  # matches nothing: there is nothing to read
                    write={"done": ["sync"]},
                    want="done",
                    after=after,
                    action=True,
                    needs_root=False,
                )
            else:
                path, want = WRITES[action]
                cell = Cell(id=this, via="pseudo", path=path, want=want, after=after, action=True)
            cells.append(cell)
        return cells


KIND = Actions()
