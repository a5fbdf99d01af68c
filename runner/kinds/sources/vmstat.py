"""What the kernel's memory management did, for the whole host: /proc/vmstat.

Read only where a spec names it. Source: mm/vmstat.c of Linux 6.1 (`vmstat_text`); a
counter that a kernel lacks is absent. Pages are the kernel's, of 4 KiB on most boards.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources.interface import NOTHING, Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs
    from runner.records.program import Pick

COUNTERS: Final = {
    "pgfault": "page faults",
    "pgmajfault": "page faults with I/O",
    "pgalloc_normal": "pages allocated in the zone Normal",
    "pgfree": "pages freed",
    "pgscan_kswapd": "pages looked at by kswapd",
    "pgscan_direct": "pages looked at by who wanted memory",
    "pgsteal_kswapd": "pages reclaimed by kswapd",
    "pgsteal_direct": "pages reclaimed by who wanted memory",
    "workingset_refault_anon": "anonymous pages that came back soon",
    "workingset_refault_file": "file pages that came back soon",
    "pswpin": "pages swapped in",
    "pswpout": "pages swapped out",
    "compact_stall": "waits for compaction",
    "thp_fault_alloc": "huge pages given at a fault",
    "thp_fault_fallback": "faults that wanted a huge page and got a small one",
    "thp_collapse_alloc": "huge pages made by khugepaged",
    "oom_kill": "OOM kills",
}


class Vmstat:
    """Host-wide counters at 1 Hz and at the ends of every step."""

    name = "vmstat"
    needs: Needs = NOTHING
    derived: Mapping[str, str] = MappingProxyType({})
    on_demand = True

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Give one file."""
        del facts
        pick: Pick = {"keys": list(COUNTERS)}
        return [{"id": "vmstat", "path": "/proc/vmstat", "hz": min(hz, 1.0), "pick": pick}]

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Increases over a step."""
        del facts
        return {
            name: Field(f"vmstat.{name}", "1", doc, 1.0, "counter")
            for name, doc in COUNTERS.items()
        }


KIND = Vmstat()
