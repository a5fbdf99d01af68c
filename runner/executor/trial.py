"""Run a trial and keep its record, across a link that may break.

The record on this side is a byte-for-byte copy of the host's spool. A line is
written here before anybody is told of it, and only whole lines are kept. So the
size of the file is the offset at which to go on, after a broken link and after
a controller that died.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.errors import HostError, HostUnreachable, ProgramRefused, RecordError
from runner.executor.agent import StreamCut
from runner.executor.limits import limits
from runner.records.events import AnyEvent, EventError, decode
from runner.records.host_events import End
from runner.records.program import trial_of
from runner.records.trial_events import Failed, TrialStarted
from runner.transports.interface import LinkLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from runner.executor.agent import Agent
    from runner.records.program import Program

    OnEvent = Callable[[AnyEvent], None]
    OnLost = Callable[[HostUnreachable | StreamCut, float], None]

_NO_TRIAL_FIX: Final = "list what the host has: runner status"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long to wait for a lost host.

    The count starts anew with every line that came. The default waits for about
    five minutes in all: long enough for a router that restarts.
    """

    attempts: int = 12
    first_s: float = 0.5
    factor: float = 2.0
    longest_s: float = 60.0

    def delay_s(self, attempt: int) -> float:
        """Give the wait before reconnect number `attempt`, from 0."""
        return min(self.longest_s, self.first_s * self.factor**attempt)


@dataclass(frozen=True, slots=True)
class TrialRun:
    """How the trial's stream came over; what it says is in the spool file."""

    end: End
    events: int
    bytes: int
    reconnects: int


def run_trial(
    agent: Agent,
    program: Program,
    on_event: OnEvent,
    spool_path: Path,
    *,
    sleep: Callable[[float], None] = time.sleep,
    backoff: Backoff = Backoff(),
    on_lost: OnLost | None = None,
) -> TrialRun:
    """Start the trial and follow it to its `end`.

    `on_event` sees every event once, in order, after it is on this disk. When the
    link breaks, `on_lost` is told why and how long the wait is, and the stream goes
    on at the byte where it stopped. Raises what the trial's `end` says, and
    HostUnreachable when the host stays away: the trial goes on there without us.
    """
    if spool_path.exists() and spool_path.stat().st_size > 0:
        raise RecordError(
            f"{spool_path} holds a trial already", fix="a new attempt has a new trial id"
        )
    follower = _Follower(agent, trial_of(program), on_event, spool_path)
    return follower.follow(program, sleep, backoff, on_lost)


def attach_trial(
    agent: Agent,
    trial: str,
    on_event: OnEvent,
    spool_path: Path,
    *,
    sleep: Callable[[float], None] = time.sleep,
    backoff: Backoff = Backoff(),
    on_lost: OnLost | None = None,
) -> TrialRun:
    """Go on with a trial whose controller died; `on_event` sees what is new.

    Of a trial whose record is whole nothing is asked.
    """
    follower = _Follower(agent, trial, on_event, spool_path)
    return follower.follow(None, sleep, backoff, on_lost)


def stop_trial(agent: Agent, trial: str) -> None:
    """End a trial cleanly; its spool gets its `end`."""
    for _ in agent.run({"program": "stop", "trial": trial}):
        pass


class _NeverBegunError(HostError):
    """The host knows no such trial."""


def _whole(data: bytes) -> tuple[int, bytes]:
    """Give the size without a torn last line, and the last whole line."""
    size = data.rfind(b"\n") + 1
    return size, data[data.rfind(b"\n", 0, max(0, size - 1)) + 1 : size]


class _Spool:
    """The copy of the host's spool on this side."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            self.size, last = _whole(path.read_bytes())
            self._file.truncate(self.size)
        except OSError as error:
            raise self._fault(error) from error
        try:
            self.last = decode(last) if last else None
        except EventError as error:
            raise RecordError(
                f"the last line of {path} is not an event: {error}",
                fix="restore it from the host's spool, or run the trial again",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._fault(error) from error
        finally:
            self._file.close()

    def append(self, line: bytes, event: AnyEvent) -> None:
        """Write one line; it is in the kernel's hands when this returns."""
        view = memoryview(line)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise self._fault(error) from error
        self.size += len(line)
        self.last = event

    def _fault(self, error: OSError) -> RecordError:
        return RecordError(
            f"{self._path} cannot be written: {error.strerror}",
            fix="make room or correct the folder's rights; `runner attach` then goes on",
        )


class _Follower:
    """One trial's stream, over as many links as it takes."""

    def __init__(self, agent: Agent, trial: str, on_event: OnEvent, path: Path) -> None:
        self._agent = agent
        self._trial = trial
        self._on_event = on_event
        self._path = path
        self._events = 0

    def follow(
        self,
        program: Program | None,
        sleep: Callable[[float], None],
        backoff: Backoff,
        on_lost: OnLost | None,
    ) -> TrialRun:
        """Send `program`, or attach if there is none; attach again until `end`."""
        start = program
        failed = reconnects = 0
        with _Spool(self._path) as spool:
            if isinstance(spool.last, End):
                self._agent.judge(spool.last)
                return TrialRun(spool.last, 0, spool.size, 0)
            while True:
                attach: Program = {"program": "attach", "trial": self._trial, "offset": spool.size}
                before = spool.size
                try:
                    end = self._copy(start or attach, spool)
                except _NeverBegunError:
                    if program is None:
                        raise
                    start = program  # the link broke before the host had read it
                except (HostUnreachable, StreamCut) as error:
                    if start is not None and not isinstance(error, (LinkLost, StreamCut)):
                        raise  # there was no connection: nothing was sent, nothing runs
                    failed = 0 if spool.size > before else failed
                    if failed >= backoff.attempts:
                        raise self._gave_up(error) from error
                    delay_s = backoff.delay_s(failed)
                    if on_lost is not None:
                        on_lost(error, delay_s)
                    sleep(delay_s)
                    failed += 1
                    reconnects += 1
                    start = None
                else:
                    self._agent.judge(end)
                    return TrialRun(end, self._events, spool.size, reconnects)

    def _copy(self, program: Program, spool: _Spool) -> End:
        """Copy one stream to the spool; gives `end`."""
        first = True
        limit = limits()
        with closing(self._agent.stream(program)) as stream:
            for line, event in stream:
                if first and isinstance(event, End):
                    self._refused(event, spool)
                if spool.last is None and not isinstance(event, TrialStarted):
                    raise ProgramRefused(
                        f"{self._agent.name}: trial {self._trial} has no beginning: its first "
                        f"event is {event.kind}",
                        fix="is that host what it seems? look at it by hand before you go on",
                    )
                first = False
                if spool.size + len(line) > limit.stream_bytes:
                    raise limit.refuse(self._agent.name, "stream_bytes")
                spool.append(line, event)
                self._events += 1
                self._on_event(event)
                if isinstance(event, End):
                    return event
        raise AssertionError("a stream ends by `end` or by an exception")

    def _refused(self, end: End, spool: _Spool) -> None:
        """Raise if `end` is what the agent says of the program, and not the spool's.

        A trial that failed says so by an `error` event before its `end`.
        """
        if end.error is None or isinstance(spool.last, Failed):
            return
        if end.error.code == "not_found" and spool.last is None:
            raise _NeverBegunError(f"{self._agent.name}: no trial {self._trial}", fix=_NO_TRIAL_FIX)
        self._agent.judge(end)

    def _gave_up(self, error: HostUnreachable | StreamCut) -> HostUnreachable:
        return HostUnreachable(
            f"{error.message}\n{self._agent.name} stayed away; trial {self._trial} may go on there",
            fix=f"once it is back: runner attach {self._agent.run_id} (until its lease ends, "
            "it restores itself after that)",
        )
