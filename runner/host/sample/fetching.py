"""What a trial brings back besides samples: answers of URLs, texts of files, binary pages."""

from __future__ import annotations

import base64
import os
import time

from . import fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence

    from runner.records.program import Fetch

    from ..trial.context import Context
    from .fetch_parts import Parts

WITHIN_S = 10.0
READ_BYTES = 65536
DURING = "during_step"


def fetch_all(ctx: Context, wanted: Sequence[Fetch], step: Optional[int]) -> None:
    """Emit one `fetched` per item; what cannot be had is null with a reason, not an error."""
    for item in wanted:
        parts = None
        if item.get("binary"):
            from .fetch_parts import Parts

            parts = Parts(ctx.emit, item["name"], step, ctx.mask)
        began = ctx.now()
        path = item.get("path")
        if path:
            fields = _file(ctx.fill(path), parts)
        else:
            fields = _url(ctx, ctx.fill(str(item["url"])), parts)
        ctx.emit("fetched", name=item["name"], step=step, began=began, **fields)


class During:
    """Fetches in the middle of steps. `turn` is called whenever the loop wakes up."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._asked = [item for item in ctx.program.get("fetch") or [] if item["when"] == DURING]
        self._waiting: List[Fetch] = []
        self._began = 0.0
        self._step = 0
        self._busy = False

    def begin(self, step: int) -> None:
        """The measurement of a step begins: `after_s` counts from here."""
        self._began, self._step = time.monotonic(), step
        self._waiting = sorted(self._asked, key=lambda item: float(item.get("after_s") or 0))

    def end(self) -> None:
        """The measurement is over: what was not due before it will not be had."""
        missed, self._waiting = self._waiting, []
        for item in missed:
            why = "the step ended before {:g} s".format(float(item.get("after_s") or 0))
            self._ctx.emit(
                "fetched", name=item["name"], step=self._step, status=None, why=why, text=None
            )

    def turn(self) -> None:
        """Fetch what is due, one after the other; the sampler ticks on meanwhile."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting and self._due(self._waiting[0]):
                fetch_all(self._ctx, [self._waiting.pop(0)], self._step)
        finally:
            self._busy = False

    def _due(self, item: Fetch) -> bool:
        return time.monotonic() >= self._began + float(item.get("after_s") or 0)


def _url(ctx: Context, url: str, parts: Optional[Parts]) -> Dict[str, object]:
    answer = fetch.get(url, ctx.loop, WITHIN_S, None if parts is None else parts.add)
    fields: Dict[str, object] = {"status": answer.status, "why": answer.why or None}
    if parts is not None:
        fields.update(parts.done())
    elif answer.status is None:
        fields["text"] = None
    else:
        fields.update(_text(answer.body))
    return fields


def _file(path: str, parts: Optional[Parts]) -> Dict[str, object]:
    """Read a file, also one of procfs (`/proc/{pid}/smaps`), up to the limit of an answer."""
    try:
        if os.path.basename(path) == "pagemap":
            from . import fetch_pages

            return {"status": None, "why": None, "text": fetch_pages.read(path)}
        with open(path, "rb", buffering=0) as file:
            data = b""
            # in small reads: a sysctl file refuses a buffer larger than the kernel can allocate
            while len(data) <= fetch.LIMIT_BYTES:
                part = file.read(READ_BYTES)
                if not part:
                    break
                if parts is None:
                    data += part
                else:
                    parts.add(part)
                    if parts.cut:
                        break
    except OSError as fault:
        return {"status": None, "why": f"{path}: {fault.strerror}", "text": None}
    if parts is not None:
        return {"status": None, "why": None, **parts.done()}
    cut = len(data) > fetch.LIMIT_BYTES
    why = f"cut at {fetch.LIMIT_BYTES} bytes" if cut else None
    return {"status": None, "why": why, **_text(data[: fetch.LIMIT_BYTES])}


def _text(data: bytes) -> Dict[str, object]:
    """Give UTF-8 as text, anything else (a profile) in base64."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": None, "bytes_b64": base64.b64encode(data).decode("ascii")}
