"""The workload's memory cgroup, v1 and v2 under the same names.

Source: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst. The
peak includes reclaimable cache, so it says little near the limit; a file that
the kernel lacks (memory.peak before 5.19) is absent, never 0.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from runner.kinds.sources.interface import OF_CGROUP, Field, Read
from runner.records.facts import places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

# name → (v1 file, v1 pick, v2 file, v2 pick); a pick of None is a lone integer
WHOLE = {
    "usage": ("memory.usage_in_bytes", "memory.current", "gauge", "charged memory, cache included"),
    "peak": ("memory.max_usage_in_bytes", "memory.peak", "gauge", "highest charge since creation"),
    "limit": ("memory.limit_in_bytes", "memory.max", "gauge", "limit read back"),
}
NO_LIMIT = "the group has no limit, or the step was shorter than its samples (one a second)"
STAT = {
    "anon": ("rss", "anon", "gauge", "anonymous memory"),
    "file": ("cache", "file", "gauge", "page cache"),
    "faults": ("pgfault", "pgfault", "counter", "page faults"),
    "major_faults": ("pgmajfault", "pgmajfault", "counter", "page faults with I/O"),
}


class Cgroup:
    """Memory controller of the workload's group."""

    name = "cgroup"
    needs: Needs = OF_CGROUP
    derived: Mapping[str, str] = MappingProxyType({"first_oom": "s"})
    on_demand = False

    def _v1(self, facts: Mapping[str, Any]) -> bool:
        mounts = places(facts, "cgroup.mounts")
        return "memory" in mounts or facts.get("cgroup.version") == 1

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Files of the memory controller; {cgroup} is its folder for the workload."""
        v1 = self._v1(facts)
        reads: list[Read] = []
        for name, (old, new, _, _) in WHOLE.items():
            path = "{cgroup}/" + (old if v1 else new)
            rate = hz if name == "usage" else min(hz, 1.0 if name == "limit" else hz)
            reads.append({"id": f"cgroup.{name}", "path": path, "hz": rate, "pick": {"int": True}})
        stat = sorted({old if v1 else new for old, new, _, _ in STAT.values()})
        reads.append(
            {"id": "cgroup.stat", "path": "{cgroup}/memory.stat", "hz": hz, "pick": {"keys": stat}}
        )
        if v1:
            reads += [
                {
                    "id": "cgroup.failcnt",
                    "path": "{cgroup}/memory.failcnt",
                    "hz": hz,
                    "pick": {"int": True},
                },
                {
                    "id": "cgroup.oom",
                    "path": "{cgroup}/memory.oom_control",
                    "hz": hz,
                    "pick": {"keys": ["oom_kill"]},
                },
            ]
        else:
            reads.append(
                {
                    "id": "cgroup.oom",
                    "path": "{cgroup}/memory.events",
                    "hz": hz,
                    "pick": {"keys": ["oom_kill", "max"]},
                }
            )
        return reads

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Quantities of the group."""
        v1 = self._v1(facts)
        fields: dict[str, Field] = {
            name: Field(f"cgroup.{name}", "B", doc) for name, (_, _, _, doc) in WHOLE.items()
        }
        fields["limit"] = replace(fields["limit"], empty=NO_LIMIT)
        for name, (old, new, kind, doc) in STAT.items():
            unit = "B" if kind == "gauge" else "1"
            column = f"cgroup.stat.{old if v1 else new}"
            fields[name] = Field(column, unit, doc, 1.0, "gauge" if kind == "gauge" else "counter")
        fields["oom_kills"] = Field("cgroup.oom.oom_kill", "1", "OOM kills", 1.0, "counter")
        hits = "cgroup.failcnt" if v1 else "cgroup.oom.max"
        fields["limit_hits"] = Field(hits, "1", "charges that met the limit", 1.0, "counter")
        return fields


KIND = Cgroup()
