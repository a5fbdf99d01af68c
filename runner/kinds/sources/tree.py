"""The workload with every process that it started: workers of a server count too.

Once a second, and exactly at both ends of a step: about 0.05 ms of the host's CPU for each
process and reading, and what `smaps_rollup` costs (0.1 ms at 35 MB). `procfs.*` is the first
process alone. Source: proc(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.kinds.sources.interface import OF_WORKLOAD, Field, Read
from runner.records.facts import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

COUNTED = ["minor_faults", "major_faults", "user", "system", "threads", "rss_pages", "processes"]
IO = ["read_bytes", "write_bytes"]


class Tree:
    """Three reads of all processes, apart: what one of them may not see, the others do."""

    name = "tree"
    needs: Needs = OF_WORKLOAD
    derived: Mapping[str, str] = {}
    on_demand = False

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Give the picks; `{pid}` is there only where a workload is."""
        del facts
        rate, path = min(hz, 1.0), "/proc/{pid}/task"
        return [
            {"id": "tree.stat", "path": path, "hz": rate, "pick": {"tree": COUNTED}},
            {"id": "tree.io", "path": path, "hz": rate, "pick": {"tree": IO}},
            {"id": "tree.rollup", "path": path, "hz": rate, "pick": {"tree": ["pss_kb"]}},
        ]

    def fields(self, facts: Mapping[str, Any]) -> Mapping[str, Field]:
        """Quantities of all processes together."""
        tick = 1.0 / (amount(facts, "clock_ticks") or 100)
        page = float(amount(facts, "page_bytes") or 4096)
        return {
            "user_cpu": Field("tree.stat.user", "s", "user CPU time of all", tick, "counter"),
            "system_cpu": Field("tree.stat.system", "s", "system CPU time of all", tick, "counter"),
            "minor_faults": Field(
                "tree.stat.minor_faults", "1", "page faults without I/O", 1.0, "counter"
            ),
            "major_faults": Field(
                "tree.stat.major_faults", "1", "page faults with I/O", 1.0, "counter"
            ),
            "threads": Field("tree.stat.threads", "1", "threads of all"),
            "processes": Field("tree.stat.processes", "1", "processes"),
            "rss": Field(
                "tree.stat.rss_pages", "B", "resident memory; what they share counts for each", page
            ),
            "pss": Field("tree.rollup.pss_kb", "B", "proportional share of all together", 1024.0),
            "read_bytes": Field("tree.io.read_bytes", "B", "read from disks", 1.0, "counter"),
            "write_bytes": Field("tree.io.write_bytes", "B", "written to disks", 1.0, "counter"),
        }


KIND = Tree()
