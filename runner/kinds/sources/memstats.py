"""Go's runtime.MemStats, of an expvar page or of a JSON object `memstats`: `memstats.HeapInuse`.

`pause_mean` is PauseTotalNs ÷ NumGC, which does not exist before the first collection.
Source: package runtime of Go 1.22.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources._memstats import memstats_unit, scaled
from runner.kinds.sources._text import objects
from runner.kinds.sources.interface import OF_PAGES, Closed, Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

NAMES: Final = (
    "Alloc", "TotalAlloc", "Sys", "Lookups", "Mallocs", "Frees", "HeapAlloc", "HeapSys",
    "HeapIdle", "HeapInuse", "HeapReleased", "HeapObjects", "StackInuse", "StackSys",
    "MSpanInuse", "MSpanSys", "MCacheInuse", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys",
    "NextGC", "LastGC", "PauseTotalNs", "NumGC", "NumForcedGC", "GCCPUFraction",
)  # fmt: skip
# both are in every MemStats, and in nothing else
MARKS: Final = {"HeapInuse", "PauseTotalNs"}
NO_CYCLES: Final = "0 GC cycles: there is no pause"


class MemStats(Closed):
    """The runtime's own count of its memory."""

    name = "memstats"
    needs: Needs = OF_PAGES
    doc = "fields of runtime.MemStats from an expvar page; `pause_mean` and `pause_last` in s"
    known = MappingProxyType(
        {**{name: memstats_unit(name) for name in NAMES}, "pause_mean": "s", "pause_last": "s"}
    )

    def parse(self, printed: Printed) -> Found:
        """Fields of the newest MemStats."""
        readings = Found()
        for shown in objects(printed):
            stats = shown if shown.keys() >= MARKS else shown.get("memstats")
            if isinstance(stats, dict) and stats.keys() >= MARKS:
                readings = _read(stats)
        if not readings.numbers:
            readings.why["memstats"] = "no runtime.MemStats was shown: fetch /debug/vars of expvar"
        return readings


def _read(stats: Mapping[str, object]) -> Found:
    readings = Found()
    for name in NAMES:
        if name in stats:
            number = _number(stats[name])
            if number is None:
                readings.absent(f"memstats.{name}", f"MemStats says {stats[name]!r:.40} for {name}")
            else:
                readings.put(f"memstats.{name}", scaled(name, number))
    cycles, total = _number(stats.get("NumGC")), _number(stats["PauseTotalNs"])
    ring = stats.get("PauseNs")
    if cycles == 0:
        readings.absent("memstats.pause_mean", "0 GC cycles: there is no mean pause")
        readings.absent("memstats.pause_last", NO_CYCLES)
        return readings
    if cycles is None or cycles < 0 or total is None:
        readings.absent("memstats.pause_mean", "MemStats lacks NumGC or PauseTotalNs")
    else:
        readings.put("memstats.pause_mean", total / cycles / 1e9)
    # a ring: the newest pause is at (NumGC+255)%256
    newest = None
    if cycles and isinstance(ring, list) and ring:
        newest = _number(ring[(int(cycles) - 1) % len(ring)])
    if newest is None:
        readings.absent("memstats.pause_last", "no ring of pauses was shown")
    else:
        readings.put("memstats.pause_last", newest / 1e9)
    return readings


def _number(value: object) -> float | None:
    """Give a number that is one: no boolean, no text, finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e300 else None  # NaN compares false


PARSER = MemStats()
