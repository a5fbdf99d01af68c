"""The workload's own /proc files. Source: proc(5), Documentation/filesystems/proc.rst."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from runner.kinds.sources.interface import OF_WORKLOAD, Field, Read
from runner.records.facts import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

KIB = 1024.0
STATUS = {
    "rss": ("VmRSS", "resident memory"),
    "rss_peak": ("VmHWM", "highest resident memory since the start"),
    "rss_anon": ("RssAnon", "resident anonymous memory"),
    "rss_file": ("RssFile", "resident file pages"),
    "vm_size": ("VmSize", "address space"),
    "vm_pte": ("VmPTE", "page tables"),
    "swap": ("VmSwap", "swapped out"),
    "hugetlb": ("HugetlbPages", "hugetlb pages; no memory cgroup counts them"),
}
# /proc/PID/stat after the comm's last parenthesis starts at field 3 (state): index = field − 3.
STAT = {
    "minor_faults": (7, "1", 1.0, "page faults without I/O"),
    "major_faults": (9, "1", 1.0, "page faults with I/O"),
    "user_cpu": (11, "s", 0.01, "user CPU time"),
    "system_cpu": (12, "s", 0.01, "system CPU time"),
}
THREADS = 17
STATM = {
    "shared": (2, "resident pages of files and shared memory"),
    "text": (3, "mapped program text"),
    "data": (5, "address space of data, heap and stacks"),
}
"""In pages. Its other words are `vm_size` and `rss`, and two that are always 0."""
ROLLUP = {
    "pss": ("Pss", "proportional share of resident memory"),
    "private_dirty": ("Private_Dirty", "dirty pages of this process alone"),
    "anon_huge": ("AnonHugePages", "anonymous memory in transparent huge pages"),
}


class Procfs:
    """stat, statm and status at the full rate; smaps_rollup at 1 Hz: it holds mmap_lock."""

    name = "procfs"
    needs: Needs = OF_WORKLOAD
    derived: Mapping[str, str] = MappingProxyType({})
    on_demand = False

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Give the four files of the workload's process."""
        del facts
        status = [key for key, _ in STATUS.values()]
        stat = sorted([THREADS, *(index for index, *_ in STAT.values())])
        rollup = [key for key, _ in ROLLUP.values()]
        return [
            {
                "id": "procfs.status",
                "path": "/proc/{pid}/status",
                "hz": hz,
                "pick": {"keys": status},
            },
            {
                "id": "procfs.stat",
                "path": "/proc/{pid}/stat",
                "hz": hz,
                "pick": {"after_comm": stat},
            },
            {
                "id": "procfs.statm",
                "path": "/proc/{pid}/statm",
                "hz": hz,
                "pick": {"words": [index for index, _ in STATM.values()]},
            },
            {
                "id": "procfs.smaps_rollup",
                "path": "/proc/{pid}/smaps_rollup",
                "hz": min(1.0, hz),
                "pick": {"keys": rollup},
            },
        ]

    def fields(self, facts: Mapping[str, Any]) -> Mapping[str, Field]:
        """Quantities of the process."""
        tick = 1.0 / (amount(facts, "clock_ticks") or 100)
        fields = {
            name: Field(f"procfs.status.{key}", "B", doc, KIB)
            for name, (key, doc) in STATUS.items()
        }
        for name, (index, unit, scale, doc) in STAT.items():
            step = tick if unit == "s" else scale
            fields[name] = Field(f"procfs.stat.{index}", unit, doc, step, "counter")
        page = float(amount(facts, "page_bytes") or 4 * KIB)
        for name, (index, doc) in STATM.items():
            fields[name] = Field(f"procfs.statm.{index}", "B", doc, page)
        fields["threads"] = Field(f"procfs.stat.{THREADS}", "1", "threads")
        for name, (key, doc) in ROLLUP.items():
            fields[name] = Field(f"procfs.smaps_rollup.{key}", "B", doc, KIB)
        return fields


KIND = Procfs()
