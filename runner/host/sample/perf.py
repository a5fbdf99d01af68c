"""Counters of the CPU and the kernel for one process, by perf_event_open(2).

Every thread that is there when the counters are opened is counted, and all that those
start later. A counter that shares the hardware with others is scaled by the time it
ran, as perf-stat(1) does. Source: perf_event_open(2), linux/perf_event.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence

HARDWARE, SOFTWARE, CACHE = 0, 1, 3
DTLB = 3
MISS = 1 << 16
EVENTS = {
    "cycles": (HARDWARE, 0),
    "instructions": (HARDWARE, 1),
    "cache_references": (HARDWARE, 2),
    "cache_misses": (HARDWARE, 3),
    "branches": (HARDWARE, 4),
    "branch_misses": (HARDWARE, 5),
    "dtlb_loads": (CACHE, DTLB),
    "dtlb_load_misses": (CACHE, DTLB | MISS),
    "task_clock": (SOFTWARE, 1),
    "page_faults": (SOFTWARE, 2),
    "context_switches": (SOFTWARE, 3),
    "cpu_migrations": (SOFTWARE, 4),
}
SYSCALL = {"x86_64": 298, "i686": 336, "aarch64": 241, "armv7l": 364, "armv6l": 364, "riscv64": 241}
INHERIT = 1 << 1
EXCLUDE_KERNEL, EXCLUDE_HV = 1 << 5, 1 << 6
TIMES = 1 | 2  # PERF_FORMAT_TOTAL_TIME_ENABLED and _RUNNING
CLOEXEC = 8
WHY = {
    errno.ENOENT: "this CPU has no such counter, or its hypervisor hides it",
    errno.EOPNOTSUPP: "this CPU has no such counter, or its hypervisor hides it",
    errno.EACCES: "not allowed: see sysctl kernel.perf_event_paranoid",
    errno.EPERM: "not allowed: see sysctl kernel.perf_event_paranoid",
    errno.ENOSYS: "this kernel has no perf_event_open",
}


class Counters:
    """Open counters of one process; `why` says which could not be opened."""

    def __init__(self, pid: int, events: Sequence[str]) -> None:
        self._names = list(events)
        self._fds: Dict[str, List[int]] = {name: [] for name in events}
        self.why: Dict[str, str] = {}
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        for name in events:
            for thread in threads:
                self._open(name, thread)

    def _open(self, name: str, thread: int) -> None:
        if name in self.why:
            return
        kind, config = EVENTS[name]
        fd = -1
        number = 0
        # what the kernel does for the program counts too, where that may be seen
        for hidden in (0, EXCLUDE_KERNEL | EXCLUDE_HV):
            attributes = struct.pack(
                "IIQQQQQIIQ", kind, 64, config, 0, 0, TIMES, INHERIT | hidden, 0, 0, 0
            )
            fd, number = _perf_event_open(attributes, thread)
            if number not in (errno.EACCES, errno.EPERM):
                break
        if fd >= 0:
            self._fds[name].append(fd)
        elif number != errno.ESRCH:  # a thread that has ended meanwhile
            self.why[name] = WHY.get(number, os.strerror(number))

    def values(self) -> List[Optional[int]]:
        """Give every counter's value now, in the order asked for."""
        return [self._value(name) for name in self._names]

    def _value(self, name: str) -> Optional[int]:
        if name in self.why or not self._fds[name]:
            return None
        total = 0.0
        for fd in self._fds[name]:
            value, enabled, running = struct.unpack("QQQ", os.read(fd, 24))
            total += value * enabled / running if running else value
        return int(total)

    def close(self) -> None:
        """Close every counter."""
        for fds in self._fds.values():
            while fds:
                os.close(fds.pop())


def _perf_event_open(attributes: bytes, thread: int) -> "tuple[int, int]":
    number = SYSCALL.get(os.uname().machine)
    if number is None:
        return -1, errno.ENOSYS
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(
        ctypes.c_long(number),
        ctypes.c_char_p(attributes),
        ctypes.c_int(thread),
        ctypes.c_int(-1),
        ctypes.c_int(-1),
        ctypes.c_ulong(CLOEXEC),
    )
    return fd, 0 if fd >= 0 else ctypes.get_errno()
