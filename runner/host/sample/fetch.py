"""HTTP GET and TCP connect that never block: the sampler ticks on while they wait.

HTTP/1.0 on purpose: the body ends where the connection does, and no server answers
it in chunks.
"""

from __future__ import annotations

import errno
import os

from .raw_socket import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Tuple

    from ..trial.loop import Loop

    Sink = Callable[[bytes], None]

LIMIT_BYTES = 8 << 20


class Answer:
    """What came back: an HTTP status and body, or the reason why not."""

    def __init__(self, status: Optional[int], body: bytes, why: str = "") -> None:
        self.status, self.body, self.why = status, body, why

    @property
    def good(self) -> bool:
        """Whether it is a success (2xx; connected, for a bare port)."""
        return self.status is not None and 200 <= self.status < 300


def get(url: str, loop: Loop, within_s: float, sink: Optional[Sink] = None) -> Answer:
    """Fetch a URL (http only). Never raises for what the other end does.

    With a `sink` the body of a success goes there as it comes, however long; the answer's
    is empty then, and its `why` says if the body ended early.
    """
    place, path = split(url)
    head = f"GET {path} HTTP/1.0\r\nHost: {place}\r\nConnection: close\r\n\r\n"
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdigit():
        host, port = place, "80"
    host = host.strip("[]") or "127.0.0.1"
    return _Exchange(host, int(port), head.encode(), loop, sink).run(within_s)


def split(url: str) -> Tuple[str, str]:
    """Give `host:port` and the path with its query; urllib.parse brings 0.3 MB for that."""
    rest = url.partition("://")[2].partition("#")[0]
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    place, path = rest[:cut].rpartition("@")[2], rest[cut:]
    return place, path if path.startswith("/") else "/" + path


def connect(port: int, loop: Loop, within_s: float, host: str = "127.0.0.1") -> Answer:
    """Try a TCP port: status 200 when somebody accepts."""
    return _Exchange(host, port, b"", loop).run(within_s)


class _Exchange:
    """One connection: connect, send, read to the end."""

    def __init__(
        self, host: str, port: int, request: bytes, loop: Loop, sink: Optional[Sink] = None
    ) -> None:
        self._host, self._port, self._request, self._loop = host, port, request, loop
        self._only_connect = not request
        self._sink = sink
        self._flows = False
        """Whether the head is behind us, and what comes goes to the sink."""
        self._got: List[bytes] = []
        self._size = 0
        self._answer: Optional[Answer] = None

    def run(self, within_s: float) -> Answer:
        try:
            # Loopback names and addresses only in practice: nothing here waits for DNS.
            family, kind, proto, _, address = socket.getaddrinfo(
                self._host, self._port, 0, socket.SOCK_STREAM
            )[0]
            self._socket = socket.socket(family, kind | socket.SOCK_CLOEXEC, proto)
        except OSError as fault:
            return Answer(None, b"", str(fault.strerror or fault))
        self._socket.setblocking(False)
        fd = self._socket.fileno()
        try:
            code = self._socket.connect_ex(address)
            if code not in (0, errno.EINPROGRESS):
                return Answer(None, b"", os.strerror(code))
            self._loop.writer(fd, self._write)
            if self._loop.wait(within_s, lambda: self._answer is not None):
                return self._answer or Answer(None, b"")
            if self._flows:
                return Answer(200, b"", f"the body did not end within {within_s:g} s")
            return Answer(None, b"", f"no answer within {within_s:g} s")
        finally:
            self._loop.forget(fd)
            self._socket.close()

    def _write(self) -> None:
        fd = self._socket.fileno()
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._answer = Answer(None, b"", os.strerror(code))
        elif self._only_connect:
            self._answer = Answer(200, b"")
        else:
            try:
                self._request = self._request[self._socket.send(self._request) :]
            except BlockingIOError:
                return
            except OSError as fault:
                self._answer = Answer(None, b"", str(fault.strerror))
                return
            if not self._request:
                self._loop.forget(fd)
                self._loop.reader(fd, self._read)

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as fault:
            self._answer = Answer(None, b"".join(self._got), str(fault.strerror))
            return
        self._size += len(data)
        if self._sink is not None and self._flows:
            self._sink(data)
            if not data:
                self._answer = _sunk(b"".join(self._got), self._size)
            return
        self._got.append(data)
        if not data or self._size > LIMIT_BYTES:
            self._answer = _parse(b"".join(self._got))
        elif self._sink is not None:
            self._divert(self._sink)

    def _divert(self, sink: Sink) -> None:
        """Give the sink what came of the body once the head is whole, and says success."""
        head, gap, body = b"".join(self._got).partition(b"\r\n\r\n")
        status = _parse(head + gap).status
        if gap and status is not None and 200 <= status < 300:
            self._got, self._flows, self._size = [head + gap], True, len(body)
            sink(body)


def _parse(data: bytes) -> Answer:
    head, gap, body = data.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split()
    if not gap or len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return Answer(None, data[:200], "the answer is no HTTP")
    length = _length(head)
    if len(body) > LIMIT_BYTES or (length is not None and len(body) < length):
        return Answer(int(words[1]), body, f"the body is cut at {len(body)} bytes")
    return Answer(int(words[1]), body)


def _sunk(head: bytes, size: int) -> Answer:
    length = _length(head)
    short = length is not None and size < length
    return Answer(_parse(head).status, b"", f"the body is cut at {size} bytes" if short else "")


def _length(head: bytes) -> Optional[int]:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None
