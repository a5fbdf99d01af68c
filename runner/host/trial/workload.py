"""The program under test: start it in its place, know when it is ready, how it ends.

A workload that dies, never becomes ready, leaves its port to somebody else or goes
to the background is told apart by events, and ends the trial as Aborted.
"""

from __future__ import annotations

import os
import signal
import time

from ..state.pen import NAMES, Pen
from ..state.state_folder import Refused
from . import listener, network, process, readiness
from .cgroup import Enclosure
from .context import Aborted, TimedOut
from .identity import Identity, start_of
from .loop import nothing
from .output import Stream, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

    from runner.records.program import Workload as Plan

    from .context import Context
    from .loop import Exit

OOM_EVERY_S = 0.25
TRACER_S = 5.0


class Workload:
    """One workload; `launch` after `stop` starts it anew in a fresh group."""

    def __init__(self, ctx: Context, plan: Plan) -> None:
        self._ctx, self.plan = ctx, plan
        wanted = plan.get("cgroup")
        self.group = Enclosure(ctx.state, ctx.program, wanted) if wanted else None
        self.once = plan.get("run", "server") == "once"
        self.pid = 0
        self._pen: Optional[Pen] = None
        user = plan.get("user")
        self._who = Identity(user, ctx.state.root) if user else None
        self.port: Optional[int] = None
        self._chosen = self._waiting = False
        self._streams: List[Stream] = []
        self._expected = False
        self._reported = True
        self._counted = False
        self._died_at = self._oom_checked = self._launched = 0.0
        self._oom_killed = False
        self._kills_before = self._missed = 0
        self._counts = ""
        # A program that only sits there is given a port too, and need not take it.
        asked = [plan.get("ready"), ctx.program.get("load"), ctx.program.get("fetch")]
        listen, named = plan.get("listen"), any("{port}" in str(part) for part in asked)
        self._uses_port = named or bool(listen and listen["port"])
        self._abort = ctx.program.get("abort") or {}

    def choose_port(self) -> None:
        """Settle {port}; Aborted when the port asked for is somebody else's already."""
        listen = self.plan.get("listen")
        if listen is None:
            return
        self._chosen = not listen.get("port")
        self.port = listen.get("port") or network.free_port()
        self._ctx.words["port"] = str(self.port)
        if self._chosen:
            return
        pid = listener.of(self.port).stranger
        if pid is not None:
            self._ctx.emit("listener", pid=pid or None, ours=False)
            raise Aborted(f"port {self.port} is taken already by {listener.who(pid)}")

    def launch(self) -> None:
        """Make the groups, warm the page cache and start; raises StartFailed, Refused."""
        ctx, plan = self._ctx, self.plan
        # Making groups and reading a binary from a slow card block: no tick is due meanwhile.
        ctx.sample(on=False)
        if self.group is not None:
            self.group.make(ctx.emit)
            ctx.words["cgroup"] = self.group.folder or ""
        if self._who is not None:
            ctx.own = self._who.place(ctx.words)
        for path in ctx.fill_all(plan.get("warm") or []):
            try:
                process.warm(path)
            except OSError as fault:
                raise Refused("not_found", f"{path}: {fault.strerror}", "see `warm`") from fault
        ctx.sample()
        # of the trial that it begins in, whichever one it ends in
        self._pen = None if self.group is not None else Pen(ctx.folder, NAMES[1])
        join = (self._pen or self.group).join  # type: ignore[union-attr]  # one of them is there
        start = start_of(ctx, plan, join, self._pen.env if self._pen else {}, self._who)
        child = process.spawn(start, ctx.loop)
        self.pid = child.pid
        self._expected = self._reported = self._counted = False
        apart = max(map(len, ctx.mask.forms)) if ctx.mask else 0
        heeded = self._abort.get("printed") or {}
        self._streams = [
            Stream(name, fd, ctx.loop, ctx.emit, apart, heeded.get(name, ()))
            for name, fd in (("stdout", child.out), ("stderr", child.err))
        ]
        self._launched, self._began = time.monotonic(), child.began
        self._floor_bytes = child.floor_bytes
        self._kills_before = 0
        # in this trial's folder, whichever trial it ends in
        traced = plan.get("traced")
        self._counts = ctx.fill(traced["path"]) if traced else ""
        ctx.own = None
        ctx.words["pid"] = str(self.pid)
        self._started()
        ctx.loop.watch = self.watch

    def _started(self, **fields: object) -> None:
        ctx = self._ctx
        binary = (ctx.program.get("upload") or {}).get("binary")
        ctx.emit(
            "workload_started",
            pid=self.pid,
            binary_sha256=None if binary is None else binary["sha256"],
            port=self.port,
            cgroup=ctx.words.get("cgroup"),
            **fields,
        )
        ctx.sampler.point(ctx.words)

    @property
    def lives(self) -> bool:
        """Whether it is a server that runs, and so can be kept for a next trial."""
        return bool(self.pid) and not self.once and not self._dead()

    def rest(self) -> None:
        """Nobody watches until `resume`: what it prints by then belongs to no trial."""
        ctx = self._ctx
        for stream in self._streams:
            stream.emit_to(self._unheard)
        ctx.sampler.point(None)

    def _unheard(self, _event: str, *, text: str = "", **_: object) -> None:
        self._missed += len(text)

    def resume(self, ctx: Context) -> str:
        """Go on in the trial of `ctx`; give why not, where it has ended or answers no more."""
        old, self._ctx = self._ctx, ctx
        for stream in self._streams:
            stream.emit_to(ctx.emit)
        missed, self._missed = self._missed, 0
        self._abort = ctx.program.get("abort") or {}
        for word in ("pid", "cgroup", "port"):
            if word in old.words:
                ctx.words[word] = old.words[word]
        ended = ctx.loop.exit_of(self.pid)
        if ended is not None:
            return f"the workload {ended} between the trials{self._its_output()}"
        self._kills_before += self._kills() or 0
        self._started(
            kept_from=ctx.kept_from,
            up_s=round(time.monotonic() - self._launched, 6),
            unheard=missed,
        )
        ctx.sample()
        ctx.loop.watch = self.watch
        try:
            self.await_ready()
        except Aborted as fault:
            ctx.loop.watch = nothing
            return str(fault)
        return ""

    def _kills(self) -> Optional[int]:
        """OOM kills in the group in this trial."""
        kills = self.group.oom_kills() if self.group is not None else None
        return None if kills is None else kills - self._kills_before

    def watch(self) -> None:
        """Say once how it ended; Aborted when it stays dead, was OOM-killed too often, said so."""
        now = time.monotonic()
        ended = self._ctx.loop.exit_of(self.pid) if self.pid else None
        if ended is not None and not self._reported:
            self._reported = True
            self._died_at = ended.at
            # where its port was taken, it could not but end: it is started anew on another
            self._expected = self._expected or (self._waiting and self._stranger() is not None)
            kills = self._kills()
            # the counter alone may be another member's; SIGKILL alone may be anybody's
            self._oom_killed = bool(kills) and ended.signal == signal.SIGKILL
            expected = self._expected or (self.once and ended.code == 0)
            explained, limits = expected or self._oom_killed, self.plan.get("limits") or {}
            self._ctx.emit(
                "workload_exited",
                pid=self.pid,
                code=ended.code,
                signal=ended.signal,
                oom_killed=self._oom_killed,
                oom_kills=kills,
                expected=expected,
                said="" if expected else self._its_output()[2:],
                left=self._left(),
                floor_bytes=self._floor_bytes,
                **ended.used(self._began, {} if explained else limits),
            )
        if self._expected:
            return
        for stream in self._streams:
            why = stream.matched(ended=ended is not None)
            if why:
                raise Aborted(why)
        if ended is not None and not self.once:
            patience = float(self._abort.get("workload_dead_s") or 0)
            if now - self._died_at >= patience:
                raise self._death(ended)
        bound = self._abort.get("oom_kills")
        if bound is not None and self.group is not None and now >= self._oom_checked:
            self._oom_checked = now + OOM_EVERY_S
            kills = self._kills()
            if kills is not None and kills >= bound:
                raise Aborted(f"{kills} OOM kills in the workload's cgroup")

    def demand_alive(self) -> None:
        """Aborted when a server has died: nothing further is to be learned from it."""
        ended = self._ctx.loop.exit_of(self.pid)
        if ended is not None and not self.once:
            self.watch()
            raise self._death(ended)

    def _death(self, ended: Exit) -> Aborted:
        if self._oom_killed:
            return Aborted("the workload was OOM-killed in its cgroup")
        return Aborted(f"the workload {ended}{self._its_output()}")

    def _left(self) -> List[int]:
        """What the workload left running: orphans come to this process (process.adopt)."""
        own = {self._ctx.generator, *process.descendants(self._ctx.generator), *self._ctx.helpers}
        return [pid for pid in process.descendants(os.getpid()) if pid not in own]

    def await_ready(self) -> None:
        """Wait until it answers as `ready` asks; Aborted when it does not, or exits before."""
        ctx, ready = self._ctx, self.plan.get("ready")
        began = time.monotonic()
        self._waiting = True
        if ready:
            within = float(ready.get("within_s", self.plan.get("within_s", 10)))
            why = readiness.wait(
                ctx, ready, began + within, lambda: [one.text for one in self._streams], self._dead
            )
            if why and self._dead():
                ended = ctx.loop.exit_of(self.pid)
                self._refuse_stranger(f"the workload {ended}")
                ctx.loop.wait(0)  # lets `watch` say it
                raise Aborted(f"the workload {ended} before it was ready{self._its_output()}")
            if why:
                raise Aborted(f"not ready within {within:g} s: {why}{self._its_output()}")
        self._refuse_stranger("it was taken meanwhile")
        self._waiting = False
        ctx.emit("ready", after_s=round(time.monotonic() - began, 6))
        if self.port is not None:
            self._check_listener(self.port)

    def _dead(self) -> bool:
        return self._ctx.loop.exit_of(self.pid) is not None

    def _check_listener(self, port: int) -> None:
        owner = listener.of(port)
        if owner.stranger is not None:
            self._ctx.emit("listener", pid=owner.stranger or None, ours=False)
            who = listener.who(owner.stranger)
            raise Aborted(f"port {port} belongs to {who}, not to the workload")
        if owner.ours is None and not self._uses_port:
            return
        if owner.ours is None:
            self._ctx.emit("listener", pid=None, ours=False)
            fix = '; it may need longer to start: add `ready: {tcp: "{port}"}` under workload'
            fix = "" if self.plan.get("ready") else fix
            raise Aborted(f"nobody listens on port {port}{fix}")
        self._ctx.emit("listener", pid=owner.ours, ours=True)

    def _refuse_stranger(self, how: str) -> None:
        """PortTaken where a port that was chosen as free is somebody else's by now."""
        who = self._stranger()
        if self.port is not None and who is not None:
            self._expected = True
            raise listener.PortTaken(self.port, who, how + self._its_output())

    def _stranger(self) -> Optional[int]:
        """Pid of somebody else on the port that was chosen for it; None where there is none."""
        if self.port is None or not self._chosen:
            return None
        return listener.of(self.port).stranger

    def _its_output(self) -> str:
        """First and last lines of its output, for messages."""
        for stream in reversed(self._streams):
            mask = self._ctx.mask
            lines = stream.excerpt(mask.text if mask else None)  # masked before it is cut
            if lines:
                return f"; it said: {lines}"
        return ""

    def _bring_counts(self) -> None:
        """Emit what the tracer counted: it writes when the last traced process has ended."""
        asked = self.plan.get("traced")
        if not asked or not self.pid or self._counted:
            return
        self._counted = True
        self._ctx.loop.wait(TRACER_S, lambda: not self._left())
        text, why = read_text(self._counts)
        self._ctx.emit("traced", calls=asked["calls"], text=text, why=why)

    def finish(self) -> None:
        """Wait for a workload that runs once; Aborted when it takes too long."""
        limit = self.plan.get("timeout_s")
        within = float(limit or self.plan.get("within_s", 600))
        # a limit is of its own time, which begins with its exec
        spent = time.monotonic() - self._began if limit else 0.0
        if not self._ctx.loop.wait(max(0.0, within - spent), self._dead):
            raise TimedOut(f"the workload did not end within {within:g} s", limit)
        self._ctx.loop.wait(0)
        self._bring_counts()

    def stop(self) -> None:
        """End it and everything it left behind, remove its groups. Does nothing if not started."""
        ctx, plan = self._ctx, self._ctx.program.get("stop") or {}
        self._expected = True
        if self.pid:
            number = signal.Signals["SIG" + str(plan.get("signal", "TERM"))]
            grace_s = float(plan.get("grace_s", 5))
            process.ask_to_end(ctx.loop, self.pid, number, grace_s, self._left)
        self._bring_counts()
        process.end_all(ctx.loop)
        if self.pid:
            self.watch()
        while self._streams:
            self._streams.pop(0).close()
        self.pid = 0
        if self._pen is not None:
            self._pen.remove()
            self._pen = None
        if self._who is not None:
            self._who.remove()
        if self.group is not None:
            left = self.group.remove()
            if left:
                ctx.emit("cgroup_left", why=left)
        for word in ("pid", "cgroup"):
            ctx.words.pop(word, None)
        ctx.sampler.point(None)
