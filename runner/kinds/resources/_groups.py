"""Where groups live on a host, and the cells that make one: v1 and v2 behind one function.

Under systemd on v2 the groups live below a unit with `Delegate=yes`: systemd is
the only writer of everything else (systemd's CGROUP_DELEGATION.md). The unit's
own process sits in a sub-group, because a group with processes cannot give
controllers to its children.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import HostError
from runner.kinds.resources import _cgroup_v1, _cgroup_v2
from runner.kinds.resources._limits import Limits
from runner.kinds.resources.interface import Cell, Facts, Refused, Values
from runner.records.facts import places, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = "runner"
"""Folder of our groups below the mount."""
UNIT = "runner-cgroup.service"
DELEGATED = f"system.slice/{UNIT}"
MOUNT = "/sys/fs/cgroup"
V1_CONTROLLERS = ("memory", "cpu", "cpuset", "pids", "blkio")
_V1_NAME = {"io": "blkio"}
# systemd expands $d itself in a unit's command, to nothing; $$ is its word for one dollar
_KEEPER = (
    'd=MOUNT$(sed -n "s/^0:://p" /proc/self/cgroup) && mkdir -p "$d/keeper" && '
    'echo $$ > "$d/keeper/cgroup.procs" && { sleep infinity >/dev/null 2>&1 & }'
).replace("$", "$$")


def controllers_of(limits: Mapping[str, object]) -> list[str]:
    """Name the controllers that limits need, by their v2 names."""
    return list(dict.fromkeys(name.partition(".")[0] for name in limits))


def mounted(facts: Facts, needed: Sequence[str] = ("memory",)) -> tuple[int | None, dict[str, str]]:
    """Version to use and the mount folder of each controller, by v2 names.

    A hybrid host has both versions: v1 is used where it holds what is needed.
    (None, {}) when nothing of cgroups is known.
    """
    mounts = places(facts, "cgroup.mounts")
    controllers = words(facts, "cgroup.controllers")
    if facts.get("cgroup.version") is None and not mounts:
        return None, {}
    unified = mounted_v2(facts)
    v1 = {
        name: mounts[_V1_NAME.get(name, name)]
        for name in ("memory", "cpu", "cpuset", "pids", "io")
        if mounts.get(_V1_NAME.get(name, name), unified) != unified
    }
    v2 = {name: unified for name in controllers if name not in mounts}
    if all(name in v1 for name in needed) or (v1 and not all(name in v2 for name in needed)):
        return 1, v1
    return 2, v2


def mounted_v2(facts: Facts) -> str:
    """Give the folder where v2 is mounted; on a hybrid host below that of v1."""
    mounts = places(facts, "cgroup.mounts")
    return mounts.get("unified") or MOUNT


def base(facts: Facts) -> str:
    """Folder below the v2 mount to make groups in; its parent is what is delegated to us.

    The delegated unit where systemd runs, the subtree delegated to the user
    without root, else a folder of the top group.
    """
    if mounted(facts)[0] == 1:
        return ROOT
    own = facts.get("cgroup.delegated")
    if own and facts.get("host.root") is False:
        return f"{str(own).removeprefix(mounted_v2(facts)).strip('/')}/{ROOT}"
    return f"{DELEGATED}/{ROOT}" if has_systemd(facts) else ROOT


def has_systemd(facts: Facts) -> bool | None:
    """Say whether systemd is the host's init; None where that is not known."""
    if "systemd.version" in facts:
        return facts["systemd.version"] is not None
    return facts["init"] == "systemd" if facts.get("init") else None


def delegation(facts: Facts) -> list[Cell]:
    """Give the cell that starts the delegated unit, where one is needed (v2 and systemd)."""
    if mounted(facts)[0] != 2 or not base(facts).startswith(DELEGATED):
        return []
    start = [
        "systemd-run", "--quiet", "--collect", f"--unit={UNIT}", "--service-type=forking",
        "--property=Delegate=yes", "--description=groups of runner",
        "--", "/bin/sh", "-c", _KEEPER.replace("MOUNT", mounted_v2(facts)),
    ]  # fmt: skip
    stop = ["systemctl", "stop", UNIT]
    return [
        Cell(
            id="cgroup:delegated",
            via="argv",
            name=UNIT,
            read=("systemctl", "show", "-p", "ActiveState", "--value", UNIT),
            parse="^(active|inactive|failed)$",
            write={"active": start, "inactive": stop, "failed": stop},
            want="active",
        )
    ]


def missing(controller: str, facts: Facts) -> Refused:
    """Say that the host lacks a controller, and exactly what to edit.

    On a Raspberry Pi the firmware puts `cgroup_disable=memory` in front of
    cmdline.txt; the kernel takes the last word, so the enabling one has to follow.
    """
    why = f"the host has no {controller} cgroup controller"
    if controller != "memory":
        return Refused(why, f"see /proc/cgroups: the kernel needs the {controller} controller")
    words = str(facts.get("kernel.cmdline") or "").split()
    pi = str(facts.get("board.model") or "").startswith("Raspberry Pi")
    if "cgroup_disable=memory" in words:
        why += " (cgroup_disable=memory on the kernel command line)"
    elif not pi:
        return Refused(why, "boot a kernel with CONFIG_MEMCG and the controller enabled")
    where = facts.get("kernel.cmdline_file") or "/boot/firmware/cmdline.txt"
    early = "cgroup_enable=memory" in words
    return Refused(
        why,
        f"{'move' if early else 'add'} `cgroup_enable=memory` to the end of the one line in "
        f"{where} (it must come AFTER the firmware's `cgroup_disable=memory`), then reboot",
    )


def folders(path: str) -> list[str]:
    """Every folder from the first part down: a/b/c → a, a/b, a/b/c."""
    parts = path.strip("/").split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def limits_to_cells(
    version: int,
    controllers_mounts: Mapping[str, str],
    group_path: str,
    limits: Mapping[str, object],
    *,
    facts: Facts | None = None,
    values: Values | None = None,
) -> tuple[list[str], list[Cell]]:
    """Give the folders to join and the cells that make them, in the order to apply.

    `controllers_mounts` and the version come from `mounted(facts)`, `group_path`
    is relative to the mount (`base(facts)` + a name), `limits` have v2 names. The
    first folder is the memory controller's. HostError when the host cannot.
    """
    known: Facts = facts or {}
    wanted = Limits.model_validate(dict(limits)).knobs()
    for controller in controllers_of(wanted):
        if controller not in controllers_mounts:
            refused = missing(controller, known)
            raise HostError(refused.why, fix=refused.fix)
    path = group_path.strip("/")
    if version == 1:
        return _cgroup_v1.group_cells(
            controllers_mounts, folders(path), wanted, known, values or {}
        )
    ours = base(known).rpartition("/")[0]
    delegated = ours if ours and path.startswith(f"{ours}/") else ""
    needed = controllers_of(wanted)
    if "memory" in controllers_mounts and "memory" not in needed:
        needed.insert(0, "memory")  # the sampler reads the memory group of every workload
    unit = delegation(known)
    join, cells = _cgroup_v2.group_cells(
        next(iter(controllers_mounts.values()), MOUNT),
        [
            folder
            for folder in folders(path)
            if folder.startswith(delegated) and folder != delegated
        ],
        wanted,
        needed,
        delegated=delegated,
        after=tuple(cell.id for cell in unit),
        needs_root=known.get("host.root") is not False,
    )
    return join, [*unit, *cells]
