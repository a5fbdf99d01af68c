"""One workload under load, sampled: from its start to the last event of its record."""

from __future__ import annotations

import contextlib
import os
from binascii import a2b_base64

from ..digest import sha256
from ..sample.fetching import During, fetch_all
from ..state.state_folder import Refused
from . import cooldown, listener, network, prepare, process
from .context import Aborted, Context
from .load import Load
from .loop import Stopped, nothing
from .spool import FULL, DiskFull
from .workload import Workload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Optional

    from runner.records.program import Cooldown as CooldownPlan
    from runner.records.program import Load as Plan

    from ..state.drift import Drift
    from .faults import Faults

PORT_TRIES = 3
STDERR_NAME = "stderr.txt"


class Trial:
    """The straight line of one trial, and its end whatever happens."""

    def __init__(self, ctx: Context, workload: Optional[Workload] = None) -> None:
        """Begin; `workload` is one that was kept for this trial."""
        self._ctx = ctx
        self._workload = workload
        self._inherited = workload is not None
        self.kept: Optional[Workload] = None
        """The workload where it lives on for the next trial; known at the end."""
        self._load: Optional[Load] = None
        self._faults: Optional[Faults] = None
        self._drift: Optional[Drift] = None
        self._aborted = False

    def run(self) -> None:
        """Conduct it and end it; whatever happens, the last event is `end`."""
        ctx = self._ctx
        error = self._guarded(self._conduct)
        if error is None and not self._aborted and ctx.program.get("keep"):
            self.kept = self._workload if self._workload and self._workload.lives else None
        ctx.loop.deaf = True
        ctx.loop.sampler = None
        # Again if it was cut short: after the first refusal of a full disk events are
        # dropped, and what remains to be ended and removed is.
        failed = self._guarded(self._clean_up)
        if failed is not None:
            self.kept = None
            self._guarded(self._clean_up)
        error = error or failed
        if error is not None:
            ctx.emit("error", **error)
        with contextlib.suppress(DiskFull):
            ctx.emit("sampler", **ctx.sampler.summary())
        ctx.emit("end", ok=error is None, error=error)

    def _guarded(self, part: Callable[[], None]) -> Optional[Dict[str, str]]:
        """Run a part; give the `error` of `end`, None when all went well or the trial aborted."""
        try:
            part()
        except Aborted as fault:
            self._aborted = True
            late: Dict[str, object] = {"timed_out": True} if fault.timed_out else {}
            if fault.limit_s is not None:
                late["limit_s"] = fault.limit_s
            self._ctx.emit("aborted", why=str(fault), **late)
        except Exception as fault:  # noqa: BLE001 - the record has to end
            return _error_of(fault)
        return None

    def _conduct(self) -> None:
        ctx, program = self._ctx, self._ctx.program
        ctx.emit("trial_started", monotonic=ctx.start, t=0.0)
        # a workload that was kept is in the namespace that this process is in
        if program.get("network") == "isolated" and not self._inherited:
            network.isolate(program.get("network_cells") or [], ctx.emit)
        self._files()
        self._settle(program.get("settle"))
        plan = program.get("workload")
        if plan:
            if self._workload is None or not self._resumed(self._workload):
                self._workload = Workload(ctx, plan)
                self._workload.choose_port()
                self._begin_workload()
        else:
            ctx.sampler.point(ctx.words)
            ctx.sample()
        self._fetch("before")
        if program.get("declared") or os.path.exists(ctx.state.journal):
            from ..state.drift import Drift

            self._drift = Drift(ctx.state, program)
        self._idle(float(program.get("idle_s") or 0))
        load = program.get("load")
        if load:
            self._steps(load)
        if self._workload is not None and self._workload.once:
            self._workload.finish()
        self._fetch("after")

    def _resumed(self, workload: Workload) -> bool:
        """Go on with the workload that was kept; it is ended where it does not answer any more."""
        why = workload.resume(self._ctx)
        if why:
            self._ctx.emit("workload_lost", after=self._ctx.kept_from, why=why)
            workload.stop()
        return not why

    def _settle(self, plan: Optional[CooldownPlan]) -> None:
        """Pause between trials: the first thing of the later one."""
        if plan:
            self._ctx.emit("settled", **cooldown.wait(self._ctx.loop, plan))

    def _check_state(self, index: Optional[int], *, last: bool = True) -> None:
        if self._drift is not None:
            self._ctx.emit("state_checked", index=index, **self._drift.comparison(last=last))

    def _begin_workload(self) -> None:
        workload = self._workload
        if workload is None:
            return
        for left in reversed(range(PORT_TRIES)):
            prepare.run(self._ctx, workload.plan, "before")
            workload.launch()
            if workload.once:
                return
            try:
                workload.await_ready()
            except listener.PortTaken as fault:
                if not left:
                    raise
                # not the trial's fault: it begins on another port
                self._ctx.emit("port_taken", port=fault.port, why=str(fault))
                workload.stop()
                workload.choose_port()
                continue
            if self._load is not None:
                self._load.port = workload.port
            prepare.run(self._ctx, workload.plan, "ready")
            return

    def _idle(self, seconds: float) -> None:
        if seconds <= 0:
            return
        first = self._ctx.sampler.snapshot()
        self._ctx.emit("idle_started")
        self._ctx.loop.wait(seconds)
        self._ctx.emit("idle_ended", at_start=first, at_end=self._ctx.sampler.snapshot())
        self._check_state(None)

    def _steps(self, plan: Plan) -> None:
        port = None if self._workload is None else self._workload.port
        self._load = Load(self._ctx, plan, port)
        during = During(self._ctx)
        self._load.measures, self._load.measured = during.begin, during.end
        self._ctx.loop.turn = during.turn
        if self._ctx.program.get("faults"):
            from .faults import Faults

            self._faults = Faults(self._ctx, self._ctx.program["faults"], self._pid)
            self._load.begins = self._faults.begin
            self._ctx.loop.turn = _both(self._faults.turn, during.turn)
        for number, step in enumerate(plan["steps"]):
            if number and plan.get("between") == "fresh" and self._workload is not None:
                self._workload.stop()
                self._begin_workload()
            self._load.step(step)
            self._check_state(step["index"], last=number == len(plan["steps"]) - 1)
            if self._workload is not None:
                self._workload.demand_alive()
            self._fetch("after_step", step["index"])

    def _pid(self) -> int:
        return 0 if self._workload is None else self._workload.pid

    def _fetch(self, when: str, index: Optional[int] = None) -> None:
        wanted = [item for item in self._ctx.program.get("fetch") or [] if item["when"] == when]
        fetch_all(self._ctx, wanted, index)

    def _files(self) -> None:
        """Write the program's files, find the uploads and make sure they are what was sent."""
        ctx = self._ctx
        for item in ctx.program.get("files") or []:
            data = item["text"].encode() if "text" in item else a2b_base64(item["base64"])
            with open(os.path.join(ctx.folder, item["name"]), "wb") as file:
                file.write(data)
        for name, blob in (ctx.program.get("upload") or {}).items():
            path = ctx.state.path("blobs", blob["sha256"])
            if _sha256(path) != blob["sha256"]:
                raise Refused("not_found", f"{name} is not on this host whole", "put it again")
            ctx.words[name] = path

    def _clean_up(self) -> None:
        ctx = self._ctx
        ctx.loop.watch = ctx.loop.turn = nothing
        if self._faults is not None:
            self._faults.end_all()  # first: what is paused does not heed SIGTERM
        if self._load is not None:
            self._load.close()
            self._load = None
        if self.kept is not None:
            self.kept.rest()
            ctx.empty_pen(kept=True)
            ctx.sampler.close()
            return
        if self._workload is not None:
            self._workload.stop()
        process.end_all(ctx.loop)
        ctx.empty_pen(kept=False)
        if ctx.mask:
            # what a generator was told may be kept from argv in a file; the folder is kept longer
            for item in ctx.program.get("files") or []:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(ctx.folder, item["name"]))


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def turn() -> None:
        one()
        other()

    return turn


def _error_of(fault: Exception) -> Dict[str, str]:
    """Give the `error` of `end` that an exception stands for."""
    full = isinstance(fault, OSError) and fault.errno in FULL
    if isinstance(fault, Stopped):
        code, message, fix = "stopped", "the trial was stopped", "run it again"
    elif isinstance(fault, DiskFull) or full:
        code, message, fix = "disk_full", f"no room: {fault}", "free some space on the host"
    elif isinstance(fault, Refused):
        code, message, fix = fault.code, fault.message, fault.fix
    elif isinstance(fault, process.StartFailed):
        code, message, fix = fault.kind, str(fault), "see that it is there and may be run"
    else:
        import traceback

        os.write(2, "".join(traceback.format_exception(None, fault, fault.__traceback__)).encode())
        code, message = "internal", f"{type(fault).__name__}: {fault}"
        fix = f"report this with {STDERR_NAME} of the trial's folder"
    return {"code": code, "message": message, "fix": fix}


def _sha256(path: str) -> Optional[str]:
    digest = sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()
