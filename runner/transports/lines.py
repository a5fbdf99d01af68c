"""Bytes of a process as lines, within bounds of length and of silence.

What comes from a host is not trusted: a line without an end must not fill the memory,
and a host that has stopped in the middle of something must not be waited for without end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from runner.errors import HostError
from runner.transports.bounds import Bounds
from runner.transports.interface import LinkLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL_S: Final = 0.5


class LimitError(HostError):
    """A host sent more than it may; the message names the limit."""


class Silence(LinkLost):
    """A host that should say that it lives does not, over a link that stands."""


def split(receive: Callable[[float], bytes | None], bounds: Bounds) -> Iterator[bytes]:
    """Give lines, each with its newline; a last one without was cut.

    `receive` waits for so many seconds and gives bytes, b"" at the end, None for nothing
    yet. Raises LimitError and Silence.
    """
    pending: list[bytes] = []
    size = 0
    heard = time.monotonic()
    reported_s = 0.0
    while True:
        chunk = receive(POLL_S)
        now = time.monotonic()
        if chunk is None:
            quiet_s = now - heard
            if quiet_s >= bounds.silent_s:
                raise Silence(
                    f"{bounds.host}: nothing was heard for {quiet_s:.0f} s over a link that stands "
                    f"(limit silent_s: {bounds.silent_s:g})",
                    fix="is it out of memory, or its disk gone? what was begun on the host is in "
                    "its journal: `runner restore` undoes it",
                )
            if bounds.on_quiet is not None and quiet_s - reported_s >= bounds.quiet_s:
                reported_s = quiet_s
                bounds.on_quiet(quiet_s)
            continue
        heard, reported_s = now, 0.0
        if not chunk:
            break
        first, *rest = chunk.split(b"\n")
        pending.append(first)
        size += len(first)
        if rest:
            yield b"".join(pending) + b"\n"
            for line in rest[:-1]:
                yield line + b"\n"
            pending, size = [rest[-1]], len(rest[-1])
        if size > bounds.line_bytes:
            raise LimitError(
                f"{bounds.host}: sent a line of more than {bounds.line_bytes} bytes "
                "(limit line_bytes)",
                fix="raise it by RUNNER_LIMITS=line_bytes=… where the host is trusted",
            )
    if size:
        yield b"".join(pending)
