"""Cgroup v1: limits in v2 names as v1 files, in the order the kernel takes them.

Sources: Documentation/admin-guide/cgroup-v1/{memory,cpusets,blkio-controller}.rst,
mm/memcontrol.c (limit ≤ memsw).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import HostError
from runner.kinds.resources.interface import Cell, Facts, Values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LIMIT, _MEMSW = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
_V1_IO = {
    "rbps": "blkio.throttle.read_bps_device",
    "wbps": "blkio.throttle.write_bps_device",
    "riops": "blkio.throttle.read_iops_device",
    "wiops": "blkio.throttle.write_iops_device",
}


def _memory(limits: Mapping[str, str], facts: Facts) -> dict[str, tuple[str, str, str]]:
    if "memory.high" in limits:
        raise HostError(
            "cgroup v1 has no memory.high (memory.soft_limit_in_bytes does not throttle)",
            fix="use memory.max, or boot with cgroup v2",
        )
    files: dict[str, tuple[str, str, str]] = {}
    most, swap = limits.get("memory.max", "max"), limits.get("memory.swap.max")
    if "memory.max" in limits:
        files[_LIMIT] = ("memory", "-1" if most == "max" else most, "page")
    if swap is None:
        return files
    if most == "max" and swap != "max":
        raise HostError(
            "memory.swap.max alone cannot be set on cgroup v1: memsw counts memory and swap",
            fix="give memory.max too",
        )
    if facts.get("cgroup.memsw") is False:
        if not facts.get("swap.devices") and swap in ("0", "max"):
            return files  # no swap at all: nothing to limit
        raise HostError(
            "the kernel does not account swap (no memory.memsw.limit_in_bytes)",
            fix="add swapaccount=1 to the kernel command line and reboot, or turn swap off",
        )
    both = "-1" if swap == "max" else str(int(most) + int(swap))
    files[_MEMSW] = ("memory", both, "page")
    return files


def _files(limits: Mapping[str, str], facts: Facts) -> dict[str, tuple[str, str, str]]:
    """Give the v1 files of v2 limits: file → (controller, value, form), in writing order."""
    files = _memory(limits, facts)
    for name in ("cpuset.mems", "cpuset.cpus"):
        if name in limits:
            files[name] = ("cpuset", limits[name], "ranges")
    if "cpu.max" in limits:
        quota, period = limits["cpu.max"].split()
        files["cpu.cfs_period_us"] = ("cpu", period, "integer")
        files["cpu.cfs_quota_us"] = ("cpu", "-1" if quota == "max" else quota, "integer")
    if "cpu.weight" in limits:  # the defaults are 100 and 1024
        shares = max(2, int(limits["cpu.weight"]) * 1024 // 100)
        files["cpu.shares"] = ("cpu", str(shares), "integer")
    if "pids.max" in limits:
        files["pids.max"] = ("pids", limits["pids.max"], "words")
    device, *settings = limits.get("io.max", "-").split()
    for key, _, value in (setting.partition("=") for setting in settings):
        if value != "max":
            files[_V1_IO[key]] = ("io", f"{device} {value}", "words")
    return files


def _ordered(own: dict[str, tuple[str, str, str]], group_id: str, values: Values) -> list[str]:
    """Limit before memsw, but the other way round where the limit grows above today's memsw."""
    names = list(own)
    today = values.get(f"{group_id}/{_MEMSW}")
    if _LIMIT in own and _MEMSW in own and isinstance(today, str) and today.strip().isdecimal():
        wanted = int(own[_LIMIT][1])
        if wanted < 0 or wanted > int(today):
            return [_MEMSW, *(name for name in names if name != _MEMSW)]
    return names


def group_cells(
    mounts: Mapping[str, str],
    folders: Sequence[str],
    limits: Mapping[str, str],
    facts: Facts,
    values: Values,
) -> tuple[list[str], list[Cell]]:
    """Give the folders to join, memory first, and the cells that make them.

    `folders` are the group and those above it, top first, relative to the mounts.
    """
    group = folders[-1]
    files = _files(limits, facts)
    used = list(dict.fromkeys(controller for controller, _, _ in files.values()))
    if "memory" in mounts:  # the sampler reads the memory group of every workload
        used = ["memory", *(name for name in used if name != "memory")]
    cells: list[Cell] = []
    for controller in used:
        previous = ""
        for folder in folders:
            path, group_id = f"{mounts[controller]}/{folder}", f"cgroup:{folder}@{controller}"
            after = (previous,) if previous else ()
            cells.append(Cell(id=group_id, via="cgroup", path=path, want="present", after=after))
            own = {n: v for n, v in files.items() if folder == group and v[0] == controller}
            if controller == "cpuset":
                own = _cpuset(own, limits, facts)
            previous = group_id
            for name in _ordered(own, group_id, values):
                _, want, form = own[name]
                this = f"{group_id}/{name}"
                cells.append(
                    Cell(
                        id=this,
                        via="pseudo",
                        path=f"{path}/{name}",
                        want=want,
                        form=form,
                        after=tuple(dict.fromkeys((group_id, previous))),
                    )
                )
                previous = this
    return [f"{mounts[controller]}/{group}" for controller in used], cells


def _cpuset(
    own: Mapping[str, tuple[str, str, str]], limits: Mapping[str, str], facts: Facts
) -> dict[str, tuple[str, str, str]]:
    """Give mems and cpus, both of which every folder on the way needs before it takes a process."""
    inherited = {
        "cpuset.mems": facts.get("numa.online") or limits.get("cpuset.mems") or "0",
        "cpuset.cpus": facts.get("cpu.online") or limits.get("cpuset.cpus") or "0",
    }
    return {
        name: own.get(name, ("cpuset", str(value), "ranges")) for name, value in inherited.items()
    }
