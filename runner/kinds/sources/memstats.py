"""Go's runtime.MemStats, of an expvar page or of a JSON object `memstats`: `memstats.HeapInuse`.

Times are seconds where the name says so: `pause_mean` is PauseTotalNs ÷ NumGC, which
does not exist before the first collection. Source: package runtime of Go 1.22.
"""

from __future__ import annotations

from typing import Final

from runner.kinds.sources._pages import objects
from runner.kinds.sources.interface import Found, Printed

NAMES: Final = (
    "Alloc", "TotalAlloc", "Sys", "Lookups", "Mallocs", "Frees", "HeapAlloc", "HeapSys",
    "HeapIdle", "HeapInuse", "HeapReleased", "HeapObjects", "StackInuse", "StackSys",
    "MSpanInuse", "MSpanSys", "MCacheInuse", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys",
    "NextGC", "LastGC", "PauseTotalNs", "NumGC", "NumForcedGC", "GCCPUFraction",
)  # fmt: skip
NS: Final = 1e9
# both are in every MemStats, and in nothing else
MARKS: Final = {"HeapInuse", "PauseTotalNs"}


class MemStats:
    """The runtime's own count of its memory."""

    name = "memstats"
    doc = "fields of runtime.MemStats from an expvar page; `pause_mean` and `pause_last` in s"
    known = (*NAMES, "pause_mean", "pause_last")
    open = False

    def parse(self, printed: Printed) -> Found:
        """Fields of the newest MemStats."""
        found = Found()
        for shown in objects(printed):
            stats = shown if shown.keys() >= MARKS else shown.get("memstats")
            if not isinstance(stats, dict) or not stats.keys() >= MARKS:
                continue
            found = Found({f"memstats.{k}": stats[k] for k in NAMES if k in stats})
            cycles = int(stats.get("NumGC") or 0)
            if cycles:
                found.numbers["memstats.pause_mean"] = stats["PauseTotalNs"] / cycles / NS
            else:
                found.absent("memstats.pause_mean", "0 GC cycles: there is no mean pause")
            ring = stats.get("PauseNs")
            if cycles and isinstance(ring, list) and ring:
                # a ring: the newest pause is at (NumGC+255)%256
                found.numbers["memstats.pause_last"] = ring[(cycles - 1) % len(ring)] / NS
            else:
                found.absent("memstats.pause_last", "0 GC cycles, or no ring of pauses was shown")
        if not found.numbers:
            found.why["memstats"] = "no runtime.MemStats was shown: fetch /debug/vars of expvar"
        return found


PARSER = MemStats()
