"""What sysbench prints at its end: events, rates, throughput and latency, in base units.

sysbench has no form for programs. It prints latencies in ms with two decimals: what is printed
as 0.00 is below 5 µs and not known any closer, so it is null and never 0. The percentile is
the 95th unless --percentile says another one, and the line says which.
Source: sysbench 1.0.20, src/sysbench.c (sb_report_cumulative), src/tests/*/.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from runner.kinds.sources.interface import Closed, Found, Needs, Printed

RAN: Final = re.compile(r"^sysbench \d+\.", re.MULTILINE)
NUMBER: Final = r"\s*(\d{1,20}(?:\.\d{1,9})?)"
LINES: Final[dict[str, tuple[str, float]]] = {
    "duration_s": (rf"^ +total time:{NUMBER}s", 1.0),
    "events": (rf"^ +total number of events:{NUMBER}", 1.0),
    "latency_min": (rf"^ +min:{NUMBER}$", 1e-3),
    "latency_mean": (rf"^ +avg:{NUMBER}$", 1e-3),
    "latency_max": (rf"^ +max:{NUMBER}$", 1e-3),
    "throughput": (rf"MiB transferred \({NUMBER} MiB/sec\)", 2.0**20),
    "read": (rf"^ +read, MiB/s:{NUMBER}$", 2.0**20),
    "written": (rf"^ +written, MiB/s:{NUMBER}$", 2.0**20),
    "reads_per_s": (rf"^ +reads/s:{NUMBER}$", 1.0),
    "writes_per_s": (rf"^ +writes/s:{NUMBER}$", 1.0),
    "fsyncs_per_s": (rf"^ +fsyncs/s:{NUMBER}$", 1.0),
    "transactions": (rf"^ +transactions:{NUMBER} ", 1.0),
    "queries": (rf"^ +queries:{NUMBER} ", 1.0),
    "ignored_errors": (rf"^ +ignored errors:{NUMBER} ", 1.0),
    "reconnects": (rf"^ +reconnects:{NUMBER} ", 1.0),
}
"""The line of each number, and the size of what is printed in base units."""
PERCENTILE: Final = re.compile(rf"^ +(\d{{1,2}})th percentile:{NUMBER}$", re.MULTILINE)
BELOW: Final = "sysbench printed it as 0.00 ms: it is below 5 µs"
NO_LINE: Final = "this test of sysbench prints no such line"


class Sysbench(Closed):
    """sysbench as the workload, run once."""

    name = "sysbench"
    needs: Needs = MappingProxyType({"": ("sysbench",)})
    at_end = True
    doc = "what sysbench prints at its end: events, rates, throughput, latency"
    known = MappingProxyType({
        "duration_s": "s", "events": "events", "events_per_s": "/s", "latency_min": "ms",
        "latency_mean": "ms", "latency_max": "ms", "latency_p95": "ms", "latency_p99": "ms",
        "throughput": "MiB/s", "read": "MiB/s", "written": "MiB/s", "reads_per_s": "/s",
        "writes_per_s": "/s", "fsyncs_per_s": "/s", "transactions": "transactions",
        "queries": "queries", "ignored_errors": "errors", "reconnects": "1",
    })  # fmt: skip

    def parse(self, printed: Printed) -> Found:
        """Read the summary; what a test does not print is null with that as the reason."""
        readings = Found()
        numbers, why = read(printed.stdout)
        if not numbers:
            readings.why["sysbench"] = "sysbench printed no summary on stdout"
        for name, value in numbers.items():
            if value is None:
                readings.absent(f"sysbench.{name}", why[name])
            else:
                readings.put(f"sysbench.{name}", value)
        return readings


def read(text: str) -> tuple[dict[str, float | None], dict[str, str]]:
    """Give the numbers of a summary by their short names, and why some are None; {} without one."""
    if not RAN.search(text) or "General statistics:" not in text:
        return {}, {}
    numbers: dict[str, float | None] = {}
    for name, (pattern, size) in LINES.items():
        match = re.search(pattern, text, re.MULTILINE)
        numbers[name] = float(match[1]) * size if match else None
    for name in ("latency_p95", "latency_p99"):
        numbers[name] = None
    percentile = PERCENTILE.search(text)
    if percentile:
        numbers[f"latency_p{percentile[1]}"] = float(percentile[2]) * 1e-3
    events, seconds = numbers["events"], numbers["duration_s"]
    numbers["events_per_s"] = events / seconds if events is not None and seconds else None
    why = {name: NO_LINE for name, value in numbers.items() if value is None}
    for name, value in numbers.items():
        if name.startswith("latency_") and value == 0:
            numbers[name], why[name] = None, BELOW
    return numbers, why


PARSER = Sysbench()
