"""The whole host: load, free memory, CPU time, OOM kills. Source: proc(5)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from runner.kinds.sources.interface import NOTHING, Field, Read
from runner.records.facts import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

# the first line of /proc/stat: cpu user nice system idle iowait irq softirq steal
CPU = {
    "user": 1,
    "nice": 2,
    "system": 3,
    "idle": 4,
    "iowait": 5,
    "irq": 6,
    "softirq": 7,
    "steal": 8,
}


class Host:
    """Host-wide numbers at 1 Hz."""

    name = "host"
    needs: Needs = NOTHING
    derived: Mapping[str, str] = MappingProxyType(
        {
            "load": "1",
            "cpu": "%",
            "steal": "%",
            "others": "%",
            "clock_step": "s",
            "clock_changed": "1",
            "drift": "1",
            "oom_kills_outside_cgroup": "1",
        }
    )
    on_demand = False

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Four small files."""
        del facts
        rate = min(hz, 1.0)
        return [
            {"id": "host.loadavg", "path": "/proc/loadavg", "hz": rate, "pick": {"words": [0]}},
            {
                "id": "host.meminfo",
                "path": "/proc/meminfo",
                "hz": rate,
                "pick": {"keys": ["MemAvailable", "MemFree", "PageTables"]},
            },
            {
                "id": "host.stat",
                "path": "/proc/stat",
                "hz": rate,
                "pick": {"words": sorted(CPU.values())},
            },
            {
                "id": "host.vmstat",
                "path": "/proc/vmstat",
                "hz": rate,
                "pick": {"keys": ["oom_kill", "pgmajfault", "pswpin", "pswpout"]},
            },
        ]

    def fields(self, facts: Mapping[str, Any]) -> Mapping[str, Field]:
        """Quantities of the host."""
        tick = 1.0 / (amount(facts, "clock_ticks") or 100)
        fields = {
            "load1": Field("host.loadavg.0", "1", "load average over a minute"),
            "available": Field("host.meminfo.MemAvailable", "B", "memory available", 1024.0),
            "page_tables": Field("host.meminfo.PageTables", "B", "page tables of all", 1024.0),
            "oom_kills": Field(
                "host.vmstat.oom_kill", "1", "OOM kills on the host", 1.0, "counter"
            ),
            "swap_in": Field("host.vmstat.pswpin", "1", "pages swapped in", 1.0, "counter"),
            "swap_out": Field("host.vmstat.pswpout", "1", "pages swapped out", 1.0, "counter"),
        }
        for name, index in CPU.items():
            fields[f"cpu_{name}"] = Field(
                f"host.stat.{index}", "s", f"CPU time {name}, all cores", tick, "counter"
            )
        return fields


KIND = Host()
