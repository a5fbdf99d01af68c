"""One thread that waits: for the sampler's next tick, for pipes, for children, for a deadline.

A trial is straight-line code; every place where time passes calls `Loop.wait`, and
while it waits the sampler ticks, output is drained and exits are noticed. SIGCHLD
and SIGTERM come in over a wake-up pipe, so nothing is polled and no kernel feature
newer than those is needed.
"""

from __future__ import annotations

import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import resource
    from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

    from ..sample.sampler import Sampler

READ_BYTES = 65536
# Each wait of select(2) is cut here, so that a missed wake-up costs no more than this.
LONGEST_S = 0.25
# a limit of CPU time is of ticks, a sample of what was used: of 1 s a virtual machine took 0.77
TICKS_S = 0.5
TICKS_SHARE = 0.1


class Stopped(Exception):  # noqa: N818 - an order, not a fault
    """SIGTERM or SIGINT came in: end the trial cleanly."""


class Exit:
    """How a child ended: `code` or `signal`, and its rusage with that of its own children."""

    def __init__(self, status: int, used: resource.struct_rusage) -> None:
        self.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.user_s, self.system_s = used.ru_utime, used.ru_stime
        self.cpu_s = used.ru_utime + used.ru_stime
        self.faults = (used.ru_minflt, used.ru_majflt)
        self.switches = (used.ru_nvcsw, used.ru_nivcsw)
        self.max_rss_bytes = used.ru_maxrss * 1024
        self.at = time.monotonic()

    def used(self, began: float, limits: Mapping[str, Sequence[int]]) -> Dict[str, object]:
        """What it took from `began` (monotonic, s) to its end, as `workload_exited` says it.

        `limits` are those that it may have been ended by; {} where it is known already why.
        """
        return {
            "out_of_cpu": self.out_of_cpu(limits),
            "cpu_s": round(self.cpu_s, 6),
            "user_s": round(self.user_s, 6),
            "system_s": round(self.system_s, 6),
            "wall_s": round(self.at - began, 6),
            "max_rss_bytes": self.max_rss_bytes,
            "faults": list(self.faults),
            "switches": list(self.switches),
        }

    def out_of_cpu(self, limits: Mapping[str, Sequence[int]]) -> bool:
        """Whether the kernel ended it at its limit of CPU time: SIGXCPU at soft, SIGKILL at hard.

        SIGKILL may be anybody's: it has to have used the time, too.
        """
        soft, hard = limits.get("cpu") or (-1, -1)
        if self.signal == signal.SIGXCPU:
            return soft >= 0
        most = self.cpu_s + max(TICKS_S, TICKS_SHARE * hard)
        return self.signal == signal.SIGKILL and 0 <= hard <= most

    def __str__(self) -> str:
        if self.signal is None:
            return f"exited with code {self.code}"
        try:
            return f"was ended by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"was ended by signal {self.signal}"


class Loop:
    """Watches descriptors, children and the sampler's grid."""

    def __init__(self) -> None:
        self.sampler: Optional[Sampler] = None
        self.watch: Callable[[], None] = nothing
        """Called after each wake-up; it may raise to leave the wait."""
        self.turn: Callable[[], None] = nothing
        """Called before `watch`: what is due at a time of its own."""
        self.deaf = False
        """While True (cleaning up), an order to stop does not interrupt."""
        self._order: Optional[int] = None
        self._readers: Dict[int, Callable[[], None]] = {}
        self._writers: Dict[int, Callable[[], None]] = {}
        self._exits: Dict[int, Exit] = {}
        self._wake, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wake_in = wake
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for name in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._heard)
            signal.siginterrupt(name, False)

    def _heard(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._order = number

    def reader(self, fd: int, call: Callable[[], None]) -> None:
        """Call when `fd` can be read."""
        self._readers[fd] = call

    def writer(self, fd: int, call: Callable[[], None]) -> None:
        """Call when `fd` can be written."""
        self._writers[fd] = call

    def forget(self, fd: int) -> None:
        """Watch `fd` no longer."""
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)

    def watched(self) -> List[int]:
        """Descriptors that are read."""
        return list(self._readers)

    def born(self, pid: int) -> None:
        """Forget an earlier child of that number."""
        self._exits.pop(pid, None)

    def exit_of(self, pid: int) -> Optional[Exit]:
        """How the child ended, or None while it runs."""
        return self._exits.get(pid)

    def wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Wait until `done` or until the time is up; give whether it was done.

        Raises Stopped on an order to stop, and whatever `watch` raises.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._reap()
            if self._order is not None and not self.deaf:
                raise Stopped
            self.turn()
            self.watch()
            if done():
                return True
            now = time.monotonic()
            if now >= deadline:
                return False
            until = min(deadline, now + LONGEST_S)
            if self.sampler is not None:
                if self.sampler.due <= now:
                    self.sampler.tick()
                    until = min(until, now)  # look at the descriptors, but do not sleep
                else:
                    until = min(until, self.sampler.due)
            self._select(max(0.0, until - now))

    def _select(self, seconds: float) -> None:
        # select(2) takes microseconds where poll(2) rounds to milliseconds.
        reads: List[int] = [self._wake, *self._readers]
        ready: Tuple[List[int], List[int], List[int]] = select.select(
            reads, list(self._writers), [], seconds
        )
        for fd in ready[0]:
            if fd == self._wake:
                os.read(self._wake, READ_BYTES)
            elif fd in self._readers:
                self._readers[fd]()
        for fd in ready[1]:
            if fd in self._writers:
                self._writers[fd]()

    def _reap(self) -> None:
        """Collect every ended child; orphans of the workload come here too (see process.adopt)."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._exits[pid] = Exit(status, used)

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(-1)
        for name in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        os.close(self._wake)
        os.close(self._wake_in)


def nothing() -> None:
    """Stand for what is called where nothing is to be done."""
