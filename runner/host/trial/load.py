"""One step of load: a generator process, warmed up, then measured."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time

from ..sample import request_log, sockets
from . import cooldown, process
from .context import Aborted, Context
from .loop import Exit, Stopped, nothing
from .output import Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, Optional, Sequence

    from runner.records.program import Load as Plan
    from runner.records.program import Step, Waiting

COUNT_EVERY_S = 0.25
GRACE_S = 3.0
TURN_S = 0.0005  # enough for the sampler's tick when one is due
# a client's descriptors: its connections, their reconnects in flight, and its own files
SPARE_FILES = 1024


class Ran:
    """How one run of a generator went."""

    def __init__(self, ended: Optional[Exit], wall_s: float, out: str, err: str) -> None:
        self.ended, self.wall_s, self.out, self.err = ended, wall_s, out, err
        self.timed_out = False
        self.max_established: Optional[int] = None
        self.waiting: Optional[int] = None
        self.dropped = 0


class Load:
    """Runs steps against a port; `port` is None when the server is on another host."""

    def __init__(self, ctx: Context, plan: Plan, port: Optional[int]) -> None:
        self._ctx, self._plan, self.port = ctx, plan, port
        self._diag = sockets.Diag()
        self._began: Optional[float] = None
        self.begins: Callable[[], None] = nothing
        """Called as a step begins, for what counts from the first one on."""
        self.measures: Callable[[int], None] = _ignored
        """Called with a step's index as its measurement begins, and `measured` as it ends."""
        self.measured: Callable[[], None] = nothing

    def close(self) -> None:
        """Close the socket dump."""
        self._diag.close()

    def step(self, step: Step) -> None:
        """Run one step: its events, and its cool-down. Aborted and Stopped pass through."""
        ctx, index = self._ctx, step["index"]
        ctx.words["step"] = str(index)
        nofile = _nofile(step.get("connections"), int(self._plan.get("nofile") or 0))
        late_s = self._on_time(step)
        cpus = len(self._plan.get("cpus") or os.sched_getaffinity(0))
        ctx.emit(
            "step_started", index=index, name=step.get("name"), nofile=nofile[0], cpus=cpus,
            **({} if late_s is None else {"late_s": late_s}),
        )  # fmt: skip
        self.begins()
        fields: Dict[str, object] = {"index": index, "exit": None, "stdout": "", "stderr": ""}
        try:
            if step.get("warmup_s"):
                self._look_on(float(step["warmup_s"]))
            elif step.get("warmup"):
                warm = self._run(step["warmup"], float(step["timeout_s"]), nofile)
                fields["warmup_exit"] = None if warm.ended is None else warm.ended.code
                fields["warmup_wall_s"] = round(warm.wall_s, 6)
        except _Cut as cut:
            raise self._cut(fields, cut, None) from None
        fields["at_start"] = self._counters()
        log = self._log(step)
        if log is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(log)  # the warm-up's: generators append to it
        ctx.emit("measure_started", index=index)
        self.measures(index)
        try:
            ran = self._run(step["argv"], float(step["timeout_s"]), nofile, step.get("waiting"))
        except _Cut as cut:
            raise self._cut(fields, cut, log) from None
        self.measured()
        self._ended(fields, ran)
        self._read_log(log, fields)
        ctx.emit("step_ended", **fields)
        # generators elsewhere end a little later than this host has looked on
        ctx.loop.wait(float(step.get("linger_s") or 0))
        self._cool(step)

    def _cut(self, fields: Dict[str, object], cut: _Cut, log: Optional[str]) -> Exception:
        """End the record of a step that was cut short; give what cut it."""
        self._ended(fields, cut.ran)
        self._read_log(log, fields)
        self._ctx.emit("step_ended", **fields, cut=str(cut.cause) or "stopped")
        return cut.cause

    def _on_time(self, step: Step) -> Optional[float]:
        """Wait for the common start of several hosts; give how late this one is.

        `start.at` is this host's clock, reckoned by the controller. The server's host,
        which runs no generator, sets the time itself, by `start.lead_s`.
        """
        start = self._plan.get("start")
        if not start:
            return None
        if self._began is None:
            self._began = float(start["at"] if "at" in start else time.time() + start["lead_s"])
            self._ctx.emit("load_at", unix=round(self._began, 6))
        left = self._began + float(step.get("at_s") or 0) - time.time()
        self._ctx.loop.wait(max(0.0, left))
        return round(max(0.0, -left), 6)

    def _log(self, step: Step) -> Optional[str]:
        """Give the path of the generator's log of single requests."""
        log = step.get("log")
        return None if not log else os.path.join(self._ctx.folder, self._ctx.fill(log["name"]))

    def _read_log(self, path: Optional[str], fields: Dict[str, object]) -> None:
        """Sum up the log and remove it: it may be larger than everything else together."""
        if path is None:
            return
        with self._undisturbed():
            loop = self._ctx.loop
            fields["log"] = request_log.summarise(path, lambda: loop.wait(TURN_S))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    @contextlib.contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Let the loop run while neither the workload's end nor an order to stop is heeded."""
        loop = self._ctx.loop
        watch, deaf = loop.watch, loop.deaf
        loop.watch, loop.deaf = nothing, True
        try:
            yield
        finally:
            loop.watch, loop.deaf = watch, deaf

    def _ended(self, fields: Dict[str, object], ran: Ran) -> None:
        fields.update(
            at_end=self._counters(),
            stdout=ran.out,
            stderr=ran.err,
            wall_s=round(ran.wall_s, 6),
            max_established=ran.max_established,
            waiting=ran.waiting,
            timed_out=ran.timed_out,
            **({"dropped": ran.dropped} if ran.dropped else {}),
        )
        if ran.ended is not None:
            code = None if ran.timed_out else ran.ended.code
            fields.update(
                exit=code,
                signal=ran.ended.signal,
                cpu_s=round(ran.ended.cpu_s, 6),
                generator_max_rss_bytes=ran.ended.max_rss_bytes,
            )

    def _counters(self) -> Dict[str, object]:
        counters: Dict[str, object] = dict(self._ctx.sampler.snapshot())
        if self.port is not None:
            for name, many in self._diag.count(self.port).items():
                counters["sockets." + name] = many
        return counters

    def _counted(self) -> Callable[[], int]:
        """Give a function that counts connections now and then, and gives the most so far."""
        counted: Dict[str, float] = {"next": 0.0, "most": -1}

        def most() -> int:
            now = time.monotonic()
            if self.port is not None and now >= counted["next"]:
                counted["next"] = now + COUNT_EVERY_S
                counted["most"] = max(counted["most"], self._diag.established(self.port))
            return int(counted["most"])

        return most

    def _look_on(self, seconds: float, ask: Optional[Waiting] = None) -> Ran:
        """Watch a load that comes from other hosts, as long as it takes there."""
        began, most = time.monotonic(), self._counted()
        late = self._late(ask) if ask else _unknown

        def look() -> bool:
            late()
            return most() < -1

        cause: Optional[Exception] = None
        try:
            self._ctx.loop.wait(seconds, look)
        except (Aborted, Stopped) as fault:
            cause = fault
        ran = Ran(None, time.monotonic() - began, "", "")
        ran.max_established = most() if most() >= 0 else None
        ran.waiting = late()
        if cause is not None:
            raise _Cut(ran, cause)
        return ran

    def _late(self, ask: Waiting) -> Callable[[], Optional[int]]:
        """Give a function that counts unanswered connections just before a step's end.

        The last count stands: once the generator has closed them there is nothing to see.
        """
        began, port = time.monotonic(), self.port
        due, longer_s = began + float(ask["at_s"]), float(ask["longer_s"])
        many: Optional[int] = None

        def late() -> Optional[int]:
            nonlocal due, many
            now = time.monotonic()
            if port is not None and now >= due:
                due = now + COUNT_EVERY_S
                waiting = self._diag.waiting(port, longer_s)
                many = many if waiting is None else waiting
            return many

        return late

    def _run(
        self,
        argv: Optional[Sequence[str]],
        timeout_s: float,
        nofile: Sequence[int],
        ask: Optional[Waiting] = None,
    ) -> Ran:
        if argv is None:
            return self._look_on(timeout_s, ask)
        ctx = self._ctx
        start = process.Start(
            ctx.fill_all(argv),
            limits={"nofile": nofile},
            cpus=self._plan.get("cpus"),
            join=ctx.pen.join,
            env=ctx.pen.env,
        )
        began = time.monotonic()
        # an order to stop between fork and exec would leave a generator that nobody knows
        with self._undisturbed():
            child = process.spawn(start, ctx.loop)
        ctx.generator = child.pid
        out, err = Capture(child.out, ctx.loop), Capture(child.err, ctx.loop)
        most, late = self._counted(), self._late(ask) if ask else _unknown

        def ended() -> bool:
            most()
            late()
            return ctx.loop.exit_of(child.pid) is not None

        cause: Optional[Exception] = None
        done = False
        try:
            done = ctx.loop.wait(timeout_s, ended)
        except (Aborted, Stopped) as fault:
            cause = fault
        except BaseException:
            process.kill([child.pid], signal.SIGKILL)
            raise
        if not done:
            self._end(child.pid)
        ctx.generator = 0
        how = ctx.loop.exit_of(child.pid)
        wall = (how.at if how is not None else time.monotonic()) - began
        ran = Ran(how, wall, out.close(), err.close())
        ran.dropped = out.dropped + err.dropped
        ran.timed_out = not done and cause is None
        ran.waiting = late()
        seen = most()
        ran.max_established = seen if seen >= 0 else None
        if cause is not None:
            raise _Cut(ran, cause)
        return ran

    def _end(self, pid: int) -> None:
        """End a generator early: by SIGINT, at which wrk still prints what it has, else SIGKILL."""
        loop = self._ctx.loop
        with self._undisturbed():
            for number in (signal.SIGINT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, number)
                if loop.wait(GRACE_S, lambda: loop.exit_of(pid) is not None):
                    break

    def _cool(self, step: Step) -> None:
        """Wait until the next step may begin: sockets in TIME_WAIT slow down its connects."""
        plan, port = step.get("cooldown"), self.port
        if not plan:
            return
        count = None if port is None else lambda: float(self._diag.count(port)["time_wait"])
        self._ctx.emit("cooled", index=step["index"], **cooldown.wait(self._ctx.loop, plan, count))


class _Cut(Exception):  # noqa: N818 - carries an exception past the record of the step
    """The trial ends in the middle of a step."""

    def __init__(self, ran: Ran, cause: Exception) -> None:
        super().__init__(str(cause))
        self.ran, self.cause = ran, cause


def _unknown() -> Optional[int]:
    return None


def _ignored(_: int) -> None:
    return


def _nofile(connections: Optional[int], at_least: int) -> Sequence[int]:
    """Soft and hard limit for a generator; it does not raise its own, and then measures less.

    Where the hard limit may not be raised (also root can lack CAP_SYS_RESOURCE) it is
    all there is, and `step_started` says how much that was.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = max(soft, at_least, 2 * (connections or 0) + SPARE_FILES)
    if hard == resource.RLIM_INFINITY or want <= hard:
        return [want, hard]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, want))
    except (ValueError, OSError):
        return [hard, hard]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return [want, want]
