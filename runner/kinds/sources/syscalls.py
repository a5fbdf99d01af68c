"""System calls of the workload and all its threads, as strace counts them: `syscalls.mmap`.

A spec asks with `workload: {trace: [mmap, madvise]}`. strace runs beside the workload, in
its cgroup, from the first instruction on; only the named calls stop the program (seccomp),
but those that do cost some microseconds each: no experiment should trace and time at once.
Source: strace(1) 6.1, `-c`, `-D`, `--seccomp-bpf`.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources.interface import OF_WORKLOAD, Found, Printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.kinds.sources.interface import Needs

ALL: Final = "all"
FILE: Final = "strace.txt"
# % time, seconds, usecs/call, calls, errors (blank for none), name
LINE: Final = re.compile(
    r"^\s*[\d.]+\s+[\d.]+\s+\d*\s+(?P<calls>\d+)(?:\s+(?P<errors>\d+))?\s+(?P<name>\w+)$",
    re.MULTILINE,
)


def traced(argv: Sequence[str], calls: Sequence[str]) -> list[str]:
    """Wrap a command; `-D` keeps its process the direct child, so its pid is the workload's."""
    only = [] if ALL in calls else ["-e", f"trace={','.join(calls)}"]
    return [
        "strace",
        "-D",
        "-f",
        "--seccomp-bpf",
        "-c",
        "-o",
        f"{{dir}}/{FILE}",
        *only,
        "--",
        *argv,
    ]


class Syscalls:
    """Calls from the workload's start to its end."""

    name = "syscalls"
    needs: Needs = OF_WORKLOAD
    doc = "calls counted by strace, asked for by `workload.trace`; `.errors` are those that failed"
    known = MappingProxyType({"total": "1"})
    open: tuple[str, ...] = ("",)

    def unit(self, name: str) -> str | None:
        """Give 1: calls are counted."""
        del name
        return "1"

    def parse(self, printed: Printed) -> Found:
        """Give calls and errors by name; a traced call that was not made is 0."""
        readings = Found()
        if not printed.traced:
            readings.why["syscalls"] = "nothing was traced: say trace: [mmap] under workload"
            return readings
        seen = {match["name"]: match for match in LINE.finditer(printed.counts)}
        if "total" not in seen:
            readings.why["syscalls"] = "strace wrote no table: the workload was killed with it"
            return readings
        asked = {name.split(".")[1] for name in printed.asked if name.startswith("syscalls.")}
        for name in {*seen, *(asked if ALL in printed.traced else printed.traced)}:
            match = seen.get(name)
            readings.numbers[f"syscalls.{name}"] = int(match["calls"]) if match else 0
            readings.numbers[f"syscalls.{name}.errors"] = int(match["errors"] or 0) if match else 0
        return readings


PARSER = Syscalls()
