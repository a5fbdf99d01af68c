"""Faults in the middle of a load: a link down or slow, a process paused or killed, memory gone.

What outlasts this process is changed as any other state: journalled before, put back
after. A paused workload and the process that holds memory end with the supervisor, and
so does a network namespace of the trial's own.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

from ..errors import CellError, reason
from ..state.state_folder import Refused
from . import cgroup, process
from .output import Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Sequence

    from runner.records.cells import Cell
    from runner.records.program import Asked, Fault

    from .context import Context
KINDS = ("network", "process", "memory")
SBIN = ":/usr/local/sbin:/usr/sbin:/sbin"
KEPT_FREE = 32 << 20
ROUTES = "/proc/net/route"
# `up` with what the kernel forgets of a link that goes down: routes of both families, and
# addresses of IPv6; what a router advertised comes back by itself. Or just `down`.
READ_LINK = (
    'ip link show dev "$1" | head -n 1 | grep -q "[<,]UP[,>]" || { echo down; exit 0; }; '
    'echo "up;$({ ip -6 -o address show dev "$1" | '
    "awk '/ scope (global|site) / && !/ dynamic / { said = $4; "
    'if ($5 == "peer") said = said " peer " $6; for (at = 5; at <= NF; at++) { '
    'if ($at ~ /^(nodad|noprefixroute|home|mngtmpaddr)$/) said = said " " $at; '
    'if ($at == "deprecated") said = said " preferred_lft 0" } '
    'print "-6 address", said }\' | sort; '
    "for family in -4 -6; do "
    'ip $family route show table all dev "$1" 2>/dev/null | '
    'grep -v -E "proto (kernel|ra)|^(local|broadcast|multicast|anycast) " | '
    'sed -E "s/ (linkdown|dead)//g; s/ +$//" | '
    # a gateway is reached by a route of its own, perhaps
    "awk -v family=$family '{ print / via /, family, \"route\", $0 }' | sort | cut -c3-; "
    'done; } | paste -sd ";" -)"'
)
WRITE_LINK = (
    'case "$2" in down) exec ip link set dev "$1" down;; esac; ip link set dev "$1" up && '
    'printf "%s\\n" "${2#up;}" | tr ";" "\\n" | while read -r family kind words; do '
    # without a carrier, which takes seconds to come, some are refused
    '[ -z "$family" ] || { left=25; '
    'until ip "$family" "$kind" replace $words dev "$1"; do '
    "left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.2; done; }; done"
)
HOLD = """\
import mmap, sys, time
open("/proc/self/oom_score_adj", "w").write("1000")
size = int(sys.argv[1])
held = mmap.mmap(-1, size)
for at in range(0, size, 4096):
    held[at] = 1
print("held", flush=True)
time.sleep(1e9)
"""


class _Skipped(Exception):  # noqa: N818 - no fault of anybody's
    """This host cannot do it; the message says why."""


class Faults:
    """All faults of a trial. `turn` is called whenever the loop wakes up."""

    def __init__(self, ctx: Context, plan: Sequence[Fault], victim: Callable[[], int]) -> None:
        self._ctx = ctx
        self._victim = victim
        self._isolated = ctx.program.get("network") == "isolated"
        self._waiting: List[Fault] = sorted(plan, key=lambda one: float(one["at_s"]))
        self._active: Dict[int, Fault] = {}
        self._undo: Dict[int, Callable[[], None]] = {}
        self._ends: Dict[int, float] = {}
        self._began: Optional[float] = None
        self._busy = False

    def begin(self) -> None:
        """The load begins: count from here. The second step does not begin it again."""
        if self._began is None:
            self._began = time.monotonic()

    def turn(self) -> None:
        """Start what is due and end what has lasted long enough."""
        if self._began is None or self._busy:
            return
        now = time.monotonic()
        self._busy = True
        try:
            for index in [index for index, end in self._ends.items() if end <= now]:
                self._end(index)
            while self._waiting and self._began + float(self._waiting[0]["at_s"]) <= now:
                self._start(self._waiting.pop(0))
        finally:
            self._busy = False

    def end_all(self) -> None:
        """Undo everything, last first."""
        self._waiting = []
        for index in reversed(list(self._undo)):
            self._end(index)

    def _start(self, fault: Fault) -> None:
        index = int(fault["index"])
        start = {"network": self._network, "process": self._process, "memory": self._memory}
        try:
            undo = start[fault["kind"]](fault)
        except (_Skipped, Refused, CellError, OSError, process.StartFailed) as no:
            why = no.message if isinstance(no, Refused) else reason(no)
            self._ctx.emit("fault_skipped", index=index, kind=fault["kind"], why=why)
            return
        self._ctx.emit("fault_started", index=index, kind=fault["kind"])
        if undo is not None:
            self._active[index], self._undo[index] = fault, undo
            self._ends[index] = time.monotonic() + float(fault.get("for_s") or 0)

    def _end(self, index: int) -> None:
        self._ends.pop(index, None)
        fault, undo = self._active.pop(index), self._undo.pop(index)
        why = None
        try:
            undo()
        except (Refused, CellError, OSError) as no:
            # what is journalled is put back by `restore` all the same
            why = no.message if isinstance(no, Refused) else reason(no)
        self._ctx.emit("fault_ended", index=index, kind=fault["kind"], why=why)

    def _network(self, fault: Fault) -> Optional[Callable[[], None]]:
        link = self._link(str(fault["link"]))
        cell = _down(link) if fault.get("down") else _netem(link, fault["netem"])
        before = self._read(cell)
        if not fault.get("down"):
            if before == "netem":
                raise _Skipped(f"{link} is slowed down by netem already")
            if before is not None:
                raise _Skipped(f"{link} has a queue of its own ({before}) that would be lost")
        elif before == "down":
            raise _Skipped(f"{link} is down already")
        try:
            self._write(cell, cell["want"])
        except Refused as no:
            raise _Skipped(_why_not(no.message)) from None
        return lambda: self._write(cell, before)

    def _link(self, name: str) -> str:
        if name != "uplink":
            if not os.path.isdir(f"/sys/class/net/{name}") and not self._isolated:
                raise _Skipped(f"this host has no interface {name}")
            return name
        with open(ROUTES, encoding="ascii") as file:
            rows = [line.split() for line in file.read().splitlines()[1:]]
        for row in rows:
            if row[1] == row[7] == "00000000":
                return row[0]
        raise _Skipped("no default route here, so no uplink: name the link, such as lo")

    def _read(self, cell: Cell) -> object:
        from ..cells import cells

        return cells.read(cell)

    def _write(self, cell: Cell, value: object) -> None:
        from ..programs import converge

        ctx = self._ctx
        wanted: Cell = {**cell, "want": value}
        if self._isolated:
            # it ends with its namespace, so nothing of it is journalled
            cgroup.apply(lambda say: cgroup.write_cells([wanted], say), ctx.emit)
            return
        # over the state of the treatment, which stays in force
        program: Asked = {
            "run": ctx.run,
            "hold": ctx.program.get("hold") or {},
            "cells": [wanted],
            "over": True,
        }
        cgroup.apply(lambda say: converge.run(program, ctx.state, say), ctx.emit)

    def _process(self, fault: Fault) -> Optional[Callable[[], None]]:
        victim = self._victim()
        if not victim:
            raise _Skipped("no workload runs")
        if fault["do"] == "kill":
            process.kill([victim], signal.SIGKILL)
            return None
        pids = [victim, *process.descendants(victim)]
        process.kill(pids, signal.SIGSTOP)

        def go_on() -> None:
            mine = set(process.descendants(os.getpid()))  # a number may be another's by now
            process.kill([pid for pid in pids if pid in mine], signal.SIGCONT)

        return go_on

    def _memory(self, fault: Fault) -> Callable[[], None]:
        ctx, size = self._ctx, int(fault["bytes"])
        free = _free_bytes()
        if size > free - KEPT_FREE:
            raise _Skipped(f"{size} bytes are more than the host can give ({free})")
        argv = [sys.executable, "-I", "-S", "-c", HOLD, str(size)]
        child = process.spawn(process.Start(argv), ctx.loop)
        ctx.helpers.add(child.pid)
        out, err = Capture(child.out, ctx.loop), Capture(child.err, ctx.loop)

        def let_go() -> None:
            gone = ctx.loop.exit_of(child.pid)
            if gone is None:
                process.kill([child.pid], signal.SIGKILL)
            ctx.helpers.discard(child.pid)
            out.close()
            err.close()
            if gone is not None:
                raise CellError(f"the process that held the memory {gone}")

        return let_go


def _down(link: str) -> Cell:
    """Give the cell of a link with what it takes along."""
    return {
        "id": f"fault:link {link}",
        "via": "argv",
        "name": f"link {link}",
        "read": ["sh", "-c", READ_LINK, "sh", link],
        "write": ["sh", "-c", WRITE_LINK, "sh", link, "{value}"],
        "want": "down",
        "runtime": True,
    }


def _netem(link: str, words: Sequence[str]) -> Cell:
    """Give the cell of a link's queue: null for the kernel's own, which has handle 0."""
    tc = shutil.which("tc", path=os.environ.get("PATH", "") + SBIN)
    if tc is None:
        raise _Skipped("tc is not installed: add `packages: [iproute2]` under system")
    return {
        "id": f"fault:netem {link}",
        "via": "argv",
        "name": f"netem {link}",
        "read": [tc, "qdisc", "show", "dev", link, "root"],
        "parse": r"\Aqdisc (?!\S+ 0: )(\S+)",
        "write": {
            "netem": [tc, "qdisc", "add", "dev", link, "root", "netem", *map(str, words)],
            "null": [tc, "qdisc", "del", "dev", link, "root"],
        },
        "want": "netem",
        "runtime": True,
    }


def _why_not(text: str) -> str:
    if "qdisc kind is unknown" in text:
        return "this kernel has no netem (CONFIG_NET_SCH_NETEM)"
    return text


def _free_bytes() -> int:
    """Memory that can be taken: available, and free swap."""
    sizes = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            name, _, rest = line.partition(":")
            sizes[name] = int(rest.split()[0]) << 10
    return sizes.get("MemAvailable", sizes["MemFree"]) + sizes.get("SwapFree", 0)
