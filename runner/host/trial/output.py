"""What children print: the generator's whole output, the workload's as it comes."""

from __future__ import annotations

import codecs
import os
import re
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Sequence, Tuple

    from ..emit import Emit
    from .loop import Loop

READ_BYTES = 65536
CAPTURE_BYTES = 4 << 20
END_BYTES = 1 << 20
STREAM_BYTES = 8 << 20
TAIL_BYTES = 64 << 10
HEAD_BYTES = 4 << 10
FIRST, LAST, LINE = 4, 3, 160
HELD_BYTES = 1 << 20
FLUSH_S = 1.0
MATCH_CPU_S = 0.25
"""What looking for a pattern may take; `re` needs exponential time for some."""
CONTEXT = 4096
"""Characters of earlier lines in which a pattern of several lines may begin."""


class Capture:
    """Keeps the first and the last megabytes of one stream; what is between is counted.

    A generator sums up at its end: that is what may not be lost.
    """

    def __init__(self, fd: int, loop: Loop) -> None:
        self._fd, self._loop = fd, loop
        self._parts: List[bytes] = []
        self._size = 0
        self._end = bytearray()
        self.dropped = 0
        loop.reader(fd, self._take)

    def _take(self) -> None:
        if not _drain(self._fd, self._keep):
            self._loop.forget(self._fd)

    def _keep(self, data: bytes) -> None:
        room = max(0, CAPTURE_BYTES - self._size)
        self._parts.append(data[:room])
        self._size += len(data[:room])
        self._end += data[room:]
        if len(self._end) > 2 * END_BYTES:
            self._cut_end()

    def _cut_end(self) -> None:
        over = len(self._end) - END_BYTES
        if over > 0:
            self.dropped += over
            del self._end[:over]

    def close(self) -> str:
        """Take what is still in the pipe, close it and give the text."""
        self._take()
        self._loop.forget(self._fd)
        os.close(self._fd)
        self._cut_end()
        text = b"".join(self._parts).decode("utf-8", "replace")
        if self.dropped:
            text += f"\n[{self.dropped} bytes left out]\n"
        return text + self._end.decode("utf-8", "replace")


class Overrun(Exception):  # noqa: N818 - says what happened
    """The pattern took too long; the message says which."""


def matches(pattern: str, text: str) -> bool:
    """Look for a pattern, `re` being interrupted after MATCH_CPU_S; Overrun when it was.

    Counted is time of the processor, which nobody else on the host can use up. Classes
    are of ASCII, as to the controller.
    """

    def over(*_: object) -> None:
        raise Overrun(
            f"looking for {pattern!r} in {len(text)} characters took more than {MATCH_CPU_S} s: "
            "write it without repeats inside of repeats"
        )

    before = signal.signal(signal.SIGVTALRM, over)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, MATCH_CPU_S)
        try:
            return re.search(pattern, text, re.MULTILINE | re.ASCII) is not None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, before)


class Heeded:
    """Looks for patterns in every whole line of a stream as it comes."""

    def __init__(self, stream: str, patterns: Sequence[str]) -> None:
        self._stream, self._patterns = stream, patterns
        self._before = self._line = ""
        self.why = ""
        """Which pattern matched; empty as long as none has."""

    def take(self, text: str, *, rest: bool = False) -> None:
        """Look at what came; with `rest` also at a line that has no end."""
        if self.why or not self._patterns:
            return
        whole, new, line = (self._line + text).rpartition("\n")
        whole += new
        if rest or len(line) > TAIL_BYTES:
            whole, line = whole + line, ""
        self._line = line
        if not whole:
            return
        seen = self._before + whole
        try:
            pattern = next((one for one in self._patterns if matches(one, seen)), None)
            self.why = "" if pattern is None else f"{self._stream} matches {pattern!r}"
        except Overrun as fault:
            self.why = str(fault)
        # from the begin of a line on, else `^` would match in the middle of one
        kept = seen[-CONTEXT:]
        self._before = kept if len(seen) <= CONTEXT else kept[kept.find("\n") + 1 :]


class Stream:
    """Emits a workload's stream as `output` events, about one a second, whole lines.

    Over STREAM_BYTES only the end is kept, and sent when the stream closes; the event
    then says how much was skipped.
    """

    def __init__(
        self,
        name: str,
        fd: int,
        loop: Loop,
        emit: Emit,
        apart: int = 0,
        heeded: Sequence[str] = (),
    ) -> None:
        """Begin; in so many characters at its end a line without end may not be parted."""
        self._apart = apart
        self._name, self._fd, self._loop, self._emit = name, fd, loop, emit
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._sent = 0
        self._skipped = 0
        self._flushed = time.monotonic()
        self.text = ""
        """The end of what was printed so far, for `ready` and for messages."""
        self._head = ""
        self._heeded = Heeded(name, heeded)
        loop.reader(fd, self._take)

    def _take(self) -> None:
        if not _drain(self._fd, self._keep):
            self._loop.forget(self._fd)
        if time.monotonic() - self._flushed >= FLUSH_S:
            self.flush()

    def _keep(self, data: bytes) -> None:
        text = self._decode(data)
        self.text = (self.text + text)[-TAIL_BYTES:]
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + text)[:HEAD_BYTES]
        self._heeded.take(text)
        self._held += text
        if len(self._held) > HELD_BYTES:
            self.flush()
        if self._sent >= STREAM_BYTES and len(self._held) > 2 * END_BYTES:
            self._skipped += len(self._held) - END_BYTES
            self._held = self._held[-END_BYTES:]

    def matched(self, *, ended: bool) -> str:
        """Say which heeded pattern was printed, or nothing; `ended`: nothing more will come."""
        if ended and self._fd in self._loop.watched():
            self._take()
        self._heeded.take("", rest=ended)
        return self._heeded.why

    def excerpt(self, masked: Optional[Callable[[str], str]] = None) -> str:
        """Give the first and the last lines so far: a crash names its cause first, or last."""
        if self._fd in self._loop.watched():
            self._take()
        head, tail = self._head, self.text
        if masked is not None:
            head, tail = masked(head), masked(tail)
        last = tail.strip().splitlines()
        if len(self.text) < TAIL_BYTES:
            lines = last if len(last) <= FIRST + LAST else [*last[:FIRST], "…", *last[-LAST:]]
        else:
            lines = [*head.strip().splitlines()[:FIRST], "…", *last[-LAST:]]
        return " | ".join(line.strip()[:LINE] for line in lines if line.strip())

    def flush(self, *, rest: bool = False) -> None:
        """Send whole lines that are held; with `rest` everything."""
        self._flushed = time.monotonic()
        if self._sent >= STREAM_BYTES and not rest:
            return
        end = len(self._held) if rest else self._held.rfind("\n") + 1
        if end == 0 and len(self._held) > TAIL_BYTES:
            # a line without end is not held back for ever
            end = max(0, len(self._held) - self._apart)
        if end == 0:
            return
        text, self._held = self._held[:end], self._held[end:]
        extra: Dict[str, int] = {"skipped": self._skipped} if self._skipped else {}
        self._emit("output", stream=self._name, text=text, **extra)
        self._sent += len(text)

    def emit_to(self, emit: Emit) -> None:
        """Send to another trial's record from now on."""
        self._take()
        self.flush()
        self._emit = emit

    def close(self) -> None:
        """Take what is still in the pipe, send it and close."""
        self._take()
        self._loop.forget(self._fd)
        os.close(self._fd)
        self.flush(rest=True)


def _drain(fd: int, keep: Callable[[bytes], None]) -> bool:
    """Read what is there; False at the stream's end. Bounded, so that the sampler gets its turn."""
    for _ in range(16):
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return True
        if not data:
            return False
        keep(data)
    return True


def read_text(path: str) -> Tuple[Optional[str], Optional[str]]:
    """Give what a program has written to a file, or None and why not."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(), None
    except OSError as fault:
        return None, f"{os.path.basename(path)}: {fault.strerror}"
