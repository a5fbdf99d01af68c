"""GC cycles as `GODEBUG=gctrace=1` prints them on stderr, by the trace's own clock.

Source: runtime/extern.go of Go 1.22, "gctrace": gc # @#s #%: #+#+# ms clock,
#+#/#/#+# ms cpu, #->#-># MB, # MB goal, …
"""

from __future__ import annotations

import re
import statistics
from typing import Final

from runner.kinds.sources.interface import Found, Printed

LINE: Final = re.compile(
    r"^gc (?P<n>\d+) @(?P<at>[\d.]+)s (?P<cpu>\d+)%: "
    r"(?P<sweep>[\d.]+)\+(?P<mark>[\d.]+)\+(?P<term>[\d.]+) ms clock, .*?"
    r"(?P<before>\d+)->(?P<after>\d+)->(?P<live>\d+) MB, (?P<goal>\d+) MB goal",
    re.MULTILINE,
)
MB: Final = 1e6
OF_CYCLES: Final = (
    "pause_mean", "pause_total", "pause", "interval", "heap_live", "heap_goal", "cpu",
)  # fmt: skip


class GcTrace:
    """Collections within a step."""

    name = "gctrace"
    doc = "collections, their stop-the-world pauses, live heap and goal"
    known = ("count", *OF_CYCLES)
    open = False

    def parse(self, printed: Printed) -> Found:
        """Count cycles and add up their pauses; a mean over 0 cycles does not exist."""
        found = Found()
        every = list(LINE.finditer(printed.stderr))
        if not every:
            why = "no GC trace was printed: set env GODEBUG=gctrace=1"
            found.absent("gctrace.count", why)
            found.why["gctrace"] = why
            return found
        start, end = printed.span_s
        lines = [match for match in every if start <= float(match["at"]) <= end]
        found.numbers["gctrace.count"] = len(lines)
        if not lines:
            for name in OF_CYCLES:
                found.absent(f"gctrace.{name}", "0 GC cycles in this step")
            return found
        pauses = [(float(m["sweep"]) + float(m["term"])) / 1e3 for m in lines]
        times = [float(m["at"]) for m in lines]
        found.numbers |= {
            "gctrace.pause_total": sum(pauses),
            "gctrace.pause_mean": statistics.fmean(pauses),
            "gctrace.pause": max(pauses),
            "gctrace.heap_live": max(int(m["live"]) for m in lines) * MB,
            "gctrace.heap_goal": max(int(m["goal"]) for m in lines) * MB,
            "gctrace.cpu": int(lines[-1]["cpu"]) / 100,
        }
        if len(lines) > 1:
            found.numbers["gctrace.interval"] = (times[-1] - times[0]) / (len(times) - 1)
        else:
            found.absent("gctrace.interval", "one GC cycle has no interval")
        return found


PARSER = GcTrace()
