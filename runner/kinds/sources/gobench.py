"""Go's benchmark format: medians over the lines of each benchmark.

`gobench.Name.sub.ns_per_op`, and without the name where there is only one.
Source: golang.org/design/14313-benchmark-format.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from typing import Final

from runner.kinds.sources.interface import Found, Printed

LINE: Final = re.compile(r"^(?P<name>Benchmark\S+)\s+(?P<n>\d+)\s+(?P<rest>.+)$", re.MULTILINE)
UNITS: Final = {
    "ns/op": "ns_per_op",
    "B/op": "bytes_per_op",
    "allocs/op": "allocs_per_op",
    "mallocs/op": "mallocs_per_op",
    "MB/s": "mb_per_s",
}


class GoBench:
    """Benchmark lines on stdout."""

    name = "gobench"
    doc = "columns of `go test -bench`, also by benchmark: `gobench.Name.allocs_per_op`"
    known = (*UNITS.values(), "iterations")
    open = True  # names of benchmarks, and units of b.ReportMetric

    def parse(self, printed: Printed) -> Found:
        """Medians over all lines of each benchmark."""
        found = Found()
        lines: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for match in LINE.finditer(printed.stdout):
            name = re.sub(r"-\d+$", "", match["name"].removeprefix("Benchmark"))
            lines[name]["iterations"].append(float(match["n"]))
            words = match["rest"].split()
            for amount, unit in zip(words[::2], words[1::2], strict=False):
                key = UNITS.get(unit, unit.replace("/", "_per_"))
                lines[name][key].append(float(amount))
        for name, columns in lines.items():
            for key, values in columns.items():
                middle = statistics.median(values)
                found.numbers[f"gobench.{name.replace('/', '.')}.{key}"] = middle
                if len(lines) == 1:
                    found.numbers[f"gobench.{key}"] = middle
        return found


PARSER = GoBench()
