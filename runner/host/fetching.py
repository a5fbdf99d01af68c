"""What a trial brings back besides samples: answers of URLs, texts of files."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence

from . import fetch

if TYPE_CHECKING:
    from .context import Context

WITHIN_S = 10.0
READ_BYTES = 65536


def fetch_all(ctx: Context, wanted: Sequence[Mapping[str, Any]], step: Optional[int]) -> None:
    """Emit one `fetched` per item; what cannot be had is null with a reason, not an error."""
    for item in wanted:
        if item.get("path"):
            found = _file(ctx.fill(item["path"]))
        else:
            answer = fetch.get(ctx.fill(item["url"]), ctx.loop, WITHIN_S)
            found = {"status": answer.status, "why": answer.why or None, **_text(answer.body)}
            if answer.status is None:
                found["text"] = None
        ctx.emit("fetched", name=item["name"], step=step, **found)


def _file(path: str) -> Dict[str, Any]:
    """Read a file, also one of procfs (`/proc/{pid}/smaps`), up to the limit of an answer."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = b""
            # in small reads: a sysctl file refuses a buffer larger than the kernel can allocate
            while len(data) <= fetch.LIMIT_BYTES:
                part = file.read(READ_BYTES)
                if not part:
                    break
                data += part
    except OSError as fault:
        return {"status": None, "why": f"{path}: {fault.strerror}", "text": None}
    cut = len(data) > fetch.LIMIT_BYTES
    why = f"cut at {fetch.LIMIT_BYTES} bytes" if cut else None
    return {"status": None, "why": why, **_text(data[: fetch.LIMIT_BYTES])}


def _text(data: bytes) -> Dict[str, Any]:
    """Give UTF-8 as text, anything else (a profile) in base64."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": None, "bytes_b64": base64.b64encode(data).decode("ascii")}
