"""What the scavenger gave back, as `GODEBUG=scavtrace=1` prints it on stderr.

The lines have no clock of their own: those count that came within the step, to about
a second. Source: runtime/mgcscavenge.go of Go 1.22, printScavTrace:
scav # KiB work (bg), # KiB work (eager), # KiB now, #% util; Go 1.14 to 1.20 number the lines,
and have one kind of work and the total.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from runner.kinds.sources.interface import Closed, Found, Needs, Printed, only_a_part

LINE: Final = re.compile(
    r"^scav (?:\d+ )?(?P<bg>\d+) KiB work(?: \(bg\), (?P<eager>\d+) KiB work \(eager\))?, "
    r"(?P<now>\d+) KiB (?:now|total), (?P<util>\d+)% util",
    re.MULTILINE,
)
KIB: Final = 1024


class ScavTrace(Closed):
    """Memory given back to the kernel within a step."""

    name = "scavtrace"
    needs: Needs = MappingProxyType({"": ("workload", "scavtrace=")})
    doc = "lines, bytes released in the step, bytes released now, share of the heap in use"
    known = MappingProxyType({"count": "1", "released": "B", "released_now": "B", "util": "%"})

    def parse(self, printed: Printed) -> Found:
        """Add up the released bytes of the step's lines."""
        readings = Found()
        if not LINE.search(printed.stderr):
            readings.why["scavtrace"] = (
                "no scavenger trace was printed: set env GODEBUG=scavtrace=1"
            )
            return readings
        if printed.left_out_within:
            readings.why["scavtrace"] = only_a_part("stderr", printed.left_out_within)
            return readings
        lines = list(LINE.finditer(printed.stderr_within))
        readings.numbers["scavtrace.count"] = len(lines)
        readings.numbers["scavtrace.released"] = KIB * sum(
            int(line["bg"]) + int(line["eager"] or 0) for line in lines
        )
        if lines:
            readings.numbers["scavtrace.released_now"] = KIB * int(lines[-1]["now"])
            readings.numbers["scavtrace.util"] = int(lines[-1]["util"]) / 100
        else:
            for name in ("released_now", "util"):
                readings.absent(f"scavtrace.{name}", "0 scavenger lines in this step")
        return readings


PARSER = ScavTrace()
