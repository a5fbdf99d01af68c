"""GC cycles as `GODEBUG=gctrace=1` prints them on stderr, by the trace's own clock.

Source: runtime/extern.go, "gctrace", and runtime/mgc.go, gcMarkTermination, of Go 1.5 to 1.26:
gc # @#s #%: #+…+# ms clock, #+#/#/#+# ms cpu, #->#-># MB, # MB goal, …
The clock has five phases in Go 1.5 and three since; the first and the last stop the world.
The runtime shifts by 20 bits: its MB are MiB.
"""

from __future__ import annotations

import re
import statistics
from types import MappingProxyType
from typing import Final

from runner.kinds.sources.interface import Closed, Found, Needs, Printed, only_a_part

LINE: Final = re.compile(
    r"^gc (?P<n>\d{1,18}) @(?P<at>\d{1,15}(?:\.\d{1,9})?)s (?P<cpu>\d{1,3})%: "
    r"(?P<clock>[\d.]{1,20}(?:\+[\d.]{1,20}){2,4}) ms clock, [^\n]*?"
    r"(?P<before>\d{1,12})->(?P<after>\d{1,12})->(?P<live>\d{1,12}) MB, (?P<goal>\d{1,12}) MB goal",
    re.MULTILINE,
)
MIB: Final = 1 << 20
OF_CYCLES: Final = {
    "pause_mean": "s", "pause_total": "s", "pause": "s", "interval": "s", "heap_live": "B",
    "heap_goal": "B", "cpu": "%",
}  # fmt: skip


class GcTrace(Closed):
    """Collections within a step."""

    name = "gctrace"
    needs: Needs = MappingProxyType({"": ("workload", "gctrace=")})
    doc = "collections, their stop-the-world pauses, live heap and goal"
    known = MappingProxyType({"count": "collections", **OF_CYCLES})

    def parse(self, printed: Printed) -> Found:
        """Count cycles and add up their pauses; a mean over 0 cycles does not exist."""
        readings = Found()
        every = [line for match in LINE.finditer(printed.stderr) if (line := _cycle(match))]
        if printed.left_out_within:
            why = only_a_part("stderr", printed.left_out_within)
            readings.absent("gctrace.count", why)
            readings.why["gctrace"] = why
            return readings
        if not every:
            why = "no GC trace was printed: set env GODEBUG=gctrace=1"
            readings.absent("gctrace.count", why)
            readings.why["gctrace"] = why
            return readings
        start, end = printed.span_s
        lines = [line for line in every if start <= line[0] <= end]
        readings.numbers["gctrace.count"] = len(lines)
        if not lines:
            for name in OF_CYCLES:
                readings.absent(f"gctrace.{name}", "0 GC cycles in this step")
            return readings
        pauses = [pause for _, pause, _ in lines]
        times = [at for at, _, _ in lines]
        readings.numbers |= {
            "gctrace.pause_total": sum(pauses),
            "gctrace.pause_mean": statistics.fmean(pauses),
            "gctrace.pause": max(pauses),
            "gctrace.heap_live": max(int(m["live"]) for _, _, m in lines) * MIB,
            "gctrace.heap_goal": max(int(m["goal"]) for _, _, m in lines) * MIB,
            "gctrace.cpu": int(lines[-1][2]["cpu"]) / 100,
        }
        if len(lines) > 1:
            readings.numbers["gctrace.interval"] = (times[-1] - times[0]) / (len(times) - 1)
        else:
            readings.absent("gctrace.interval", "one GC cycle has no interval")
        return readings


def _cycle(match: re.Match[str]) -> tuple[float, float, re.Match[str]] | None:
    """Give time and pause in seconds; None of a line that is torn."""
    try:
        phases = [float(part) for part in match["clock"].split("+")]
        return float(match["at"]), (phases[0] + phases[-1]) / 1e3, match
    except ValueError:
        return None


PARSER = GcTrace()
