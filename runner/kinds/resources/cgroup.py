"""cgroup: named groups with limits, written with v2 names, on v1 and v2 hosts."""

from typing import Annotated

from pydantic import StringConstraints

from runner.errors import HostError
from runner.kinds.resources._groups import (
    MOUNT,
    ROOT,
    V1_CONTROLLERS,
    base,
    controllers_of,
    limits_to_cells,
    missing,
    mounted,
)
from runner.kinds.resources._limits import Limits
from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Json,
    Planned,
    Refused,
    Root,
    Unknown,
    Values,
)

__all__ = ["KIND", "Limits", "base", "limits_to_cells", "missing", "mounted"]

GroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]


class CgroupModel(Root[dict[GroupName, Limits]]):
    """`cgroup: {web: {memory.max: 64MiB, cpu.max: 50%}}`."""


class Cgroup:
    """Named groups of the host; a workload's own group is said under `workload`."""

    name = "cgroup"
    doc = (
        "named groups with limits, in v2 names on v1 and v2 hosts: "
        "`{web: {memory.max: 64MiB, cpu.max: 50%}}`; below a delegated unit under systemd"
    )
    absent = "refused, with the line to edit in cmdline.txt where the memory controller is off"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = CgroupModel

    # Where both versions usually are; the plan takes the paths from the facts.
    _USUAL = (
        {"cgroup.version": 1, "cgroup.mounts": {c: f"{MOUNT}/{c}" for c in V1_CONTROLLERS}},
        {"cgroup.version": 2, "cgroup.controllers": ["memory", "cpu", "cpuset", "pids", "io"]},
        {
            "cgroup.version": 2,
            "cgroup.controllers": ["memory", "cpu", "cpuset", "pids", "io"],
            "init": "systemd",
        },
    )

    def candidates(self, payload: CgroupModel) -> list[Json]:
        """Give groups and limits where v1 and v2 usually have them."""
        candidates: dict[str, Json] = {}
        for facts in self._USUAL:
            planned = self.plan(payload, facts, {})
            for cell in planned if isinstance(planned, list) else ():
                candidates.setdefault(cell.id, cell.asking().to_json())
        return list(candidates.values())

    def plan(self, payload: CgroupModel, facts: Facts, values: Values) -> Planned:
        """Folders, controllers and limits of every group."""
        cells: dict[str, Cell] = {}
        if not payload.root:
            return []
        for name, limits in payload.root.items():
            wanted = limits.knobs()
            version, mounts = mounted(facts, controllers_of(wanted) or ["memory"])
            if version is None:
                return Unknown("cgroup.version")
            top = ROOT if version == 1 else base(facts)
            try:
                _, group = limits_to_cells(
                    version, mounts, f"{top}/{name}", wanted, facts=facts, values=values
                )
            except HostError as error:
                return Refused(error.message, error.fix)
            for cell in group:
                known = cells.get(cell.id)
                if known is not None and cell.form == "set":
                    cell = _joined(known, cell)  # noqa: PLW2901 - two groups share their parent
                cells[cell.id] = cell
        return list(cells.values())


def _joined(a: Cell, b: Cell) -> Cell:
    words = dict.fromkeys([*str(a.want).split(), *str(b.want).split()])
    return Cell(
        id=a.id,
        via=a.via,
        path=a.path,
        want=" ".join(words),
        form=a.form,
        after=a.after,
        needs_root=a.needs_root,
    )


KIND = Cgroup()
