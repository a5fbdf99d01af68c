"""Pages that a trial fetched: text as it is, bytes put together from their events."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

from runner.kinds.sources.interface import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def of_step(events: Iterable[Mapping[str, Any]], index: int | None) -> tuple[Page, ...]:
    """Pages of one step and of none, in the order they came; of all steps without `index`."""
    found: list[Page] = []
    parts: dict[tuple[Any, Any], list[str]] = {}
    for event in events:
        if event["event"] not in ("fetched", "fetched_part"):
            continue
        key = (event["name"], event.get("step"))
        if event["event"] == "fetched_part":
            parts.setdefault(key, []).append(event["zlib_b64"])
            continue
        sent = parts.pop(key, [])
        if index is None or event.get("step") in (None, index):
            found.append(_page(event, sent))
    return tuple(found)


def _page(event: Mapping[str, Any], sent: list[str]) -> Page:
    why = str(event.get("why") or "")
    status = event.get("status")
    if status is not None and not 200 <= int(status) < 300:
        why = why or f"answered with status {status}"
    data: bytes | None = None
    if event.get("bytes_b64"):
        data = base64.b64decode(event["bytes_b64"])
    elif event.get("bytes"):
        data = _whole(sent)
        if data is None or hashlib.sha256(data).hexdigest() != event["sha256"]:
            data, why = None, "the record does not hold it whole"
    # what was asked of a URL has a status, or has failed and holds nothing
    file = "status" in event and status is None
    return Page(str(event["name"]), event.get("text"), data, why, file)


def _whole(sent: list[str]) -> bytes | None:
    try:
        return zlib.decompress(b"".join(base64.b64decode(part) for part in sent))
    except (zlib.error, ValueError):
        return None
