"""Pages that a trial fetched: text as it is, bytes put together from their events."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from runner.kinds.sources.interface import Page
from runner.records.trial_events import Fetched, FetchedPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.records.event import Event

MOST_BYTES: Final = 64 << 20
"""As much as a host sends of one page, unpacked."""


def of_step(events: Iterable[Event], index: int | None) -> tuple[Page, ...]:
    """Pages of one step and of none, in the order they came; of all steps without `index`."""
    found: list[Page] = []
    parts: dict[tuple[str, int | None], list[str]] = {}
    for event in events:
        if isinstance(event, FetchedPart):
            parts.setdefault((event.name, event.step), []).append(event.zlib_b64)
        elif isinstance(event, Fetched):
            sent = parts.pop((event.name, event.step), [])
            if index is None or event.step in (None, index):
                found.append(_page(event, sent))
    return tuple(found)


def _page(event: Fetched, sent: list[str]) -> Page:
    why = event.why or ""
    status = event.status
    if isinstance(status, int) and not 200 <= status < 300:
        why = why or f"answered with status {status}"
    data: bytes | None = None
    if event.bytes_b64:
        data = base64.b64decode(event.bytes_b64)
    elif event.bytes:
        data = _whole(sent)
        if data is None or hashlib.sha256(data).hexdigest() != event.sha256:
            data, why = None, "the record does not hold it whole"
    # what was asked of a URL has a status, or has failed and holds nothing
    file = status is not UNSET and status is None
    return Page(event.name, event.text, data, why, file)


def _whole(sent: list[str]) -> bytes | None:
    """Join and unpack; None where the parts are damaged, or unpack to more than a host sends."""
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(b"".join(base64.b64decode(part) for part in sent), MOST_BYTES)
    except (zlib.error, ValueError):
        return None
    return data if unpack.eof else None
