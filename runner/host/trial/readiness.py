"""Waiting until a server answers: by HTTP, by TCP, by what it printed, or by whether it listens."""

from __future__ import annotations

import time

from ..sample import fetch, sockets
from .context import Aborted
from .output import Overrun, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, Sequence, Tuple

    from runner.records.program import Ready

    from .context import Context

STREAMS = ("stdout", "stderr")
TRY_S = 0.02


def wait(
    ctx: Context,
    ready: Ready,
    deadline: float,
    printed: Callable[[], Sequence[str]],
    dead: Callable[[], bool],
) -> str:
    """Give "" once ready, else the last reason why not; at once where the server is `dead`."""
    while True:
        why = _try(ctx, ready, printed, max(TRY_S, min(2.0, deadline - time.monotonic())))
        left = deadline - time.monotonic()
        if not why or dead() or left <= 0:
            return why and why + _elsewhere(ready, printed())
        ctx.loop.wait(min(TRY_S, left), dead)


def _try(ctx: Context, ready: Ready, printed: Callable[[], Sequence[str]], within_s: float) -> str:
    asked = pattern_of(ready)
    if asked is not None:
        stream, pattern = asked
        matches = _matches(pattern, printed()[stream])
        return "" if matches else f"{STREAMS[stream]} has not matched {pattern!r}"
    if "listening" in ready:
        # asks the kernel and not the server; whose socket it is, is looked at once it is there
        port = int(ctx.fill(ready["listening"]))
        return "" if _listens(port) else f"nobody listens on port {port}"
    if "http" in ready:
        answer = fetch.probe(
            ctx.fill(ready["http"]),
            ctx.loop,
            within_s,
            insecure=bool(ready.get("insecure")),
            ca=ready.get("ca"),
        )
    else:
        answer = fetch.connect(ctx.fill(str(ready["tcp"])), ctx.loop, within_s)
    if answer.good:
        return ""
    return f"status {answer.status}" if answer.status is not None else answer.why


def pattern_of(ready: Ready) -> Optional[Tuple[int, str]]:
    """Give the stream (its place in STREAMS) that has to print a pattern, and the pattern."""
    if "stdout" in ready:
        return 0, ready["stdout"]
    return (1, ready["stderr"]) if "stderr" in ready else None


def _elsewhere(ready: Ready, texts: Sequence[str]) -> str:
    """Say that a pattern was printed on the other stream; empty where it was not."""
    asked = pattern_of(ready)
    if asked is None or not _matches(asked[1], texts[1 - asked[0]]):
        return ""
    stream, other = STREAMS[asked[0]], STREAMS[1 - asked[0]]
    return f", but {other} has: say `{other}` in place of `{stream}`"


def _listens(port: int) -> bool:
    diag = sockets.Diag()
    try:
        return bool(diag.listeners(port))
    finally:
        diag.close()


def _matches(pattern: str, text: str) -> bool:
    """Look for a pattern; Aborted where that took too long."""
    try:
        return matches(pattern, text)
    except Overrun as fault:
        raise Aborted(str(fault)) from None
