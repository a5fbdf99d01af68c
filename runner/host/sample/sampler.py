"""Sampling kernel files on absolute deadlines, at little cost.

Files are opened once and read with pread(2) from offset 0, which makes procfs
and sysfs render them afresh. A tick that comes too late is counted as missed and
not made up for: samples stay on the grid `start + n / hz`. Columns of a read
that is not due in a tick are None, like those of a file that is not there; the
latter is said once, in an `absent` event.
"""

from __future__ import annotations

import os
import resource
import time

from . import extract, sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Mapping, Optional, Sequence, Set

    from runner.records.program import Read

    from ..emit import Emit
    from .perf import Counters

READ_BYTES = 65536


class _Read:
    """One file (or the socket dump) and where it stands."""

    def __init__(self, read: Read, every: int) -> None:
        self.id = str(read["id"])
        self.template = str(read.get("path", ""))
        self.pick = read["pick"]
        self.every = every
        self.columns = extract.columns(self.id, self.pick)
        self.fd: Optional[int] = None
        self.opened = False  # tried since the last `point`
        self.absent = False  # said since the last `point`
        self.parts = False  # one pread(2) does not give the whole file
        self.counters: Optional[Counters] = None

    def open(self, path: str) -> None:
        """Open the file and learn whether it comes in parts.

        Files of many records (/proc/vmstat) give a page at a time, whatever is asked
        for; the others would be rendered once more by the read that finds their end.
        """
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        first = os.pread(self.fd, READ_BYTES, 0)
        self.parts = bool(first and os.pread(self.fd, READ_BYTES, len(first)))

    def text(self) -> str:
        """Give the whole text, rendered now."""
        if self.fd is None:
            raise ValueError("not open")
        data = os.pread(self.fd, READ_BYTES, 0)
        while self.parts:
            more = os.pread(self.fd, READ_BYTES, len(data))
            if not more:
                break
            data += more
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
        if self.counters is not None:
            self.counters.close()
        self.fd, self.counters, self.opened, self.absent = None, None, False, False


class Sampler:
    """Reads of a trial, one row of values per tick.

    `emit(event, **fields)` takes what is sent; `start` is the trial's start on the
    monotonic clock, from which `t` counts.
    """

    def __init__(
        self,
        reads: Sequence[Read],
        hz: float,
        start: float,
        emit: Emit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.start, self.hz, self._emit, self._clock = start, hz, emit, clock
        self.period = 1.0 / hz
        self._reads = [
            _Read(read, max(1, round(hz / float(read.get("hz") or hz)))) for read in reads
        ]
        self._words: Dict[str, str] = {}
        self._waiting = True
        self.ours: Callable[[], Set[int]] = set
        """Children of this process that are not the workload's."""
        self._diag: Optional[sockets.Diag] = None
        self._announced = False
        self._tick = 0
        self.due = start
        self.ticks = self.missed = 0
        self.late_max_s = 0.0
        self.sampling_cpu_s = 0.0

    def point(self, words: Optional[Mapping[str, str]]) -> None:
        """Aim the reads at a workload: `{pid}`, `{cgroup}`, `{port}`; files are opened anew.

        With None there is none at the moment, and what has no place to read is not
        called absent.
        """
        self._waiting = words is None
        self._words = dict(words or {})
        for read in self._reads:
            if "{" in read.template or "established" in read.pick:
                read.close()  # the host's own files stay open, and absent ones were said to be

    def begin(self) -> None:
        """Put the grid's next line at now: nothing was missed while sampling was off."""
        self.due = self._clock()

    def tick(self) -> None:
        """Read what is due and emit one row; then move on to the next line of the grid."""
        now = self._clock()
        cpu = time.thread_time()
        self.late_max_s = max(self.late_max_s, now - self.due)
        # Of several lines of the grid that have passed, this sample stands for the last.
        lost = int((now - self.due) / self.period)
        self.missed += lost
        self._tick += lost
        self.due += lost * self.period
        if not self._announced:
            self._emit("columns", names=[name for read in self._reads for name in read.columns])
            self._announced = True
        row: List[Optional[extract.Number]] = []
        for read in self._reads:
            due = self._tick % read.every == 0
            row += self._values(read) if due else [None] * len(read.columns)
        self._emit("sample", t=round(now - self.start, 6), v=row)
        self.ticks += 1
        self._tick += 1
        self.due += self.period
        self.sampling_cpu_s += time.thread_time() - cpu

    def _values(self, read: _Read) -> extract.Values:
        nothing: extract.Values = [None] * len(read.columns)
        try:
            values = self._asked(read)
            if values is not None:
                return values
            if not read.opened:
                read.opened = True
                read.open(fill(read.template, self._words))
            if read.fd is None:
                return nothing
            text = read.text()
        except (OSError, KeyError, ValueError) as fault:
            if isinstance(fault, KeyError) and self._waiting:
                read.opened = False
            elif not read.absent:
                read.absent = True
                self._emit("absent", id=read.id, reason=_reason(fault))
            return nothing
        return extract.parse(read.pick, text)

    def _asked(self, read: _Read) -> Optional[extract.Values]:
        """Give the values of a read that is not of one file; None for one that is."""
        if "established" in read.pick:
            return [self._established(read)]
        if "perf" in read.pick:
            return self._counted(read)
        if "vcgencmd" in read.pick:
            return [self._throttled(read)]
        if "pmic" in read.pick:
            return [self._watts(read)]
        if "tree" not in read.pick:
            return None
        fill(read.template, self._words)  # KeyError where there is no workload
        from .tree import totals

        return list(totals(read.pick["tree"], self.ours))

    def _established(self, read: _Read) -> int:
        port = int(fill(str(read.pick["established"]), self._words))
        if self._diag is None:
            self._diag = sockets.Diag()
        return self._diag.established(port)

    def _throttled(self, read: _Read) -> Optional[int]:
        if read.absent:
            return None  # a tool that failed once is not started every second
        from . import throttle

        bits = throttle.read(str(read.pick["vcgencmd"]))
        if bits is None:
            raise ValueError(f"{read.pick['vcgencmd']} get_throttled gives no bits")
        return bits

    def _watts(self, read: _Read) -> Optional[float]:
        if read.absent:
            return None
        from . import pmic

        watts = pmic.read(str(read.pick["pmic"]))
        if watts is None:
            raise ValueError(f"{read.pick['pmic']} pmic_read_adc gives no output's power")
        return watts

    def _counted(self, read: _Read) -> extract.Values:
        if read.counters is None:
            if read.opened:
                return [None] * len(read.columns)
            pid = int(fill(read.template, self._words))
            read.opened = True
            from .perf import Counters

            read.counters = Counters(pid, read.pick["perf"])
            for name, why in read.counters.why.items():
                self._emit("absent", id=f"{read.id}.{name}", reason=why)
        return list(read.counters.values())

    def snapshot(self) -> Dict[str, Optional[extract.Number]]:
        """Read everything now: values by column. For counters at a step's very ends."""
        by_column: Dict[str, Optional[extract.Number]] = {}
        for read in self._reads:
            values = self._values(read)
            by_column.update(zip(read.columns, values))  # noqa: B905 - Python 3.9 has no `strict`
        return by_column

    def summary(self) -> Dict[str, object]:
        """Give the numbers of the `sampler` event: ticks, and what watching itself cost."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "hz": self.hz,
            "ticks": self.ticks,
            "missed": self.missed,
            "late_max_s": round(self.late_max_s, 6),
            "cpu_s": round(used.ru_utime + used.ru_stime, 4),
            "sampling_cpu_s": round(self.sampling_cpu_s, 4),
            "max_rss_bytes": used.ru_maxrss * 1024,
        }

    def close(self) -> None:
        """Close every file."""
        for read in self._reads:
            read.close()
        if self._diag is not None:
            self._diag.close()
            self._diag = None


def fill(text: str, words: Mapping[str, str]) -> str:
    """Put words into their {places}; KeyError names a known place that has no word yet."""
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    for name in ("pid", "cgroup", "port"):
        if f"{{{name}}}" in text:
            raise KeyError(name)
    return text


def _reason(fault: Exception) -> str:
    if isinstance(fault, KeyError):
        return f"the trial has no {fault.args[0]}"
    if isinstance(fault, OSError):
        return f"{fault.filename}: {fault.strerror}" if fault.filename else str(fault.strerror)
    return str(fault)
