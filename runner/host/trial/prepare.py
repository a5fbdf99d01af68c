"""What is done before a workload starts, or once it is ready: caches dropped, data loaded.

Not measured: it has its own events and its own time. Where it fails, the trial could not be
run, and says so in its own words.
"""

from __future__ import annotations

import os
import signal
import time

from ..errors import reason
from ..state.state_folder import Refused
from . import process
from .output import Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Sequence

    from runner.records.program import Prepare, Workload

    from .context import Context

SAID = 300


def run(ctx: Context, plan: Workload, when: str) -> None:
    """Carry out what is asked for, before or ready; Refused where something of it fails."""
    for item in plan.get("prepare") or []:
        if item["when"] != when:
            continue
        began = time.monotonic()
        if item.get("action"):
            what, used = str(item["action"]), {}
            _act(item)
        else:
            argv = ctx.fill_all(item["argv"])
            what = " ".join(argv)
            used = _start(ctx, plan, argv, float(item["within_s"]))
        wall_s = round(time.monotonic() - began, 6)
        ctx.emit("prepared", index=item["index"], when=when, what=what, wall_s=wall_s, **used)


def _act(item: Prepare) -> None:
    """Write to a key that has an effect and no state, or sync."""
    path = item.get("path")
    try:
        if path is None:
            os.sync()
            return
        with open(path, "w", encoding="ascii") as file:
            file.write(str(item["text"]))
    except OSError as fault:
        raise _failed(str(item["action"]), reason(fault), "it needs root on the host") from fault


def _failed(what: str, how: str, fix: str) -> Refused:
    return Refused("prepare_failed", f"prepare: {what}: {how}", fix)


def _start(ctx: Context, plan: Workload, argv: Sequence[str], within_s: float) -> Dict[str, object]:
    """Run a command where the workload runs, with its environment, as the agent's own user."""
    asked = {name: ctx.fill(str(text)) for name, text in (plan.get("env") or {}).items()}
    cwd = plan.get("cwd")
    start = process.Start(
        argv, env={**asked, **ctx.pen.env}, cwd=ctx.fill(cwd) if cwd else None, join=ctx.pen.join
    )
    fix = "see workload.prepare"
    try:
        child = process.spawn(start, ctx.loop)
    except process.StartFailed as fault:
        raise _failed(argv[0], os.strerror(fault.errno), fix) from fault
    ctx.helpers.add(child.pid)
    out, err = Capture(child.out, ctx.loop), Capture(child.err, ctx.loop)
    try:
        done = ctx.loop.wait(within_s, lambda: ctx.loop.exit_of(child.pid) is not None)
    except BaseException:
        process.kill([child.pid], signal.SIGKILL)
        raise
    finally:
        ctx.helpers.discard(child.pid)
    if not done:
        process.kill([child.pid, *process.descendants(child.pid)], signal.SIGKILL)
    text = [part.strip() for part in (out.close(), err.close())]
    excerpt = (text[1] or text[0])[-SAID:]
    ended = ctx.loop.exit_of(child.pid)
    how: Optional[str] = None
    if not done or ended is None:
        how = f"did not end within {within_s:g} s"
    elif ended.code != 0:
        how = str(ended)
    if how is not None:
        raise _failed(" ".join(argv), how + (f"; it said: {excerpt}" if excerpt else ""), fix)
    return {} if ended is None else {"cpu_s": round(ended.cpu_s, 6)}
