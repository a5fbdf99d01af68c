"""Waiting until a server answers: by HTTP, by TCP, or by what it has printed."""

from __future__ import annotations

import re
import time

from ..sample import fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping

    from .context import Context

TRY_S = 0.02


def wait(
    ctx: Context,
    ready: Mapping[str, Any],
    deadline: float,
    printed: Callable[[], str],
    dead: Callable[[], bool],
) -> str:
    """Give "" once ready, else the last reason why not; at once where the server is `dead`."""
    while True:
        why = _try(ctx, ready, printed, max(TRY_S, min(2.0, deadline - time.monotonic())))
        left = deadline - time.monotonic()
        if not why or dead() or left <= 0:
            return why
        ctx.loop.wait(min(TRY_S, left), dead)


def _try(
    ctx: Context, ready: Mapping[str, Any], printed: Callable[[], str], within_s: float
) -> str:
    if "stdout" in ready:
        found = re.search(ready["stdout"], printed(), re.MULTILINE)
        return "" if found else "stdout has not matched {!r}".format(ready["stdout"])
    if "http" in ready:
        answer = fetch.get(ctx.fill(ready["http"]), ctx.loop, within_s)
    else:
        answer = fetch.connect(int(ctx.fill(str(ready["tcp"]))), ctx.loop, within_s)
    if answer.good:
        return ""
    return f"status {answer.status}" if answer.status is not None else answer.why
