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
    from typing import Callable, List, Optional, Tuple, Union

    Address = Union[Tuple[str, int], Tuple[str, int, int, int], Tuple[int, bytes]]

    from ..trial.loop import Loop
    from .fetch_tls import Tls

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
    host, port = _host_port(place, 80)
    return _Exchange(host, port, head.encode(), loop, sink).run(within_s)


def probe(
    url: str, loop: Loop, within_s: float, *, insecure: bool = False, ca: Optional[str] = None
) -> Answer:
    """Ask as clients of today do, by HTTP/1.1, over TLS where the URL says https; the status only.

    Every address of the name is tried. Without `insecure` the certificate is checked, by the
    CA in the file `ca` or by those of the host.
    """
    place, path = split(url)
    head = f"GET {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
    secure = url.lower().startswith("https:")
    host, port = _host_port(place, 443 if secure else 80)
    exchange = _Exchange(host, port, head.encode(), loop)
    exchange.head_only = True
    if secure:
        from .fetch_tls import Tls

        exchange.tls = lambda: Tls(host, head.encode(), insecure, ca)
    return exchange.run(within_s)


def _host_port(place: str, default: int) -> Tuple[str, int]:
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdigit():
        host, port = place, str(default)
    return host.strip("[]") or "127.0.0.1", int(port)


def split(url: str) -> Tuple[str, str]:
    """Give `host:port` and the path with its query; urllib.parse brings 0.3 MB for that."""
    rest = url.partition("://")[2].partition("#")[0]
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    place, path = rest[:cut].rpartition("@")[2], rest[cut:]
    return place, path if path.startswith("/") else "/" + path


def connect(place: str, loop: Loop, within_s: float) -> Answer:
    """Try a TCP port, `8080` or `host:8080`: status 200 when somebody accepts."""
    host, port = ("127.0.0.1", int(place)) if place.isdigit() else _host_port(place, 0)
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
        self.head_only = False
        self.tls: Optional[Callable[[], Tls]] = None
        self._secure: Optional[Tls] = None

    def run(self, within_s: float) -> Answer:
        """Try each address of the name in turn, until one answers."""
        try:
            # Loopback names and addresses only in practice: nothing here waits for DNS.
            addresses = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)
        except OSError as fault:
            return Answer(None, b"", str(fault.strerror or fault))
        request, answer = self._request, Answer(None, b"", "the name has no address")
        for address in dict.fromkeys(addresses):
            self._request, self._answer, self._got, self._size = request, None, [], 0
            self._secure = self.tls() if self.tls is not None else None
            answer = self._one(address, within_s / len(addresses))
            if answer.status is not None:
                break
        return answer

    def _one(self, place: Tuple[int, int, int, str, Address], within_s: float) -> Answer:
        family, kind, proto, _, address = place
        try:
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
        elif self._secure is not None:
            self._loop.forget(fd)
            self._loop.reader(fd, self._read)
            self._decrypt(b"")
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
        if self._secure is not None:
            data = self._plain(data)
            if not data:
                return
        self._size += len(data)
        if self._sink is not None and self._flows:
            self._sink(data)
            if not data:
                self._answer = _sunk(b"".join(self._got), self._size)
            return
        self._got.append(data)
        if self._headed():
            return
        if not data or self._size > LIMIT_BYTES:
            self._answer = _parse(b"".join(self._got))
        elif self._sink is not None:
            self._divert(self._sink)

    def _headed(self) -> bool:
        """Whether the status was all that was asked for, and is there."""
        got = b"".join(self._got) if self.head_only else b""
        # the body may have no end, or come in chunks: nobody asked for it
        status = _parse(got).status if b"\r\n\r\n" in got else None
        if status is None:
            return False
        self._answer = Answer(status, b"")
        return True

    def _plain(self, data: bytes) -> bytes:
        if not data:
            self._answer = Answer(None, b"", "the connection was closed before it answered")
            return b""
        return self._decrypt(data)

    def _decrypt(self, data: bytes) -> bytes:
        assert self._secure is not None  # noqa: S101 - the callers have looked
        try:
            return self._secure.turn(data, self._socket)
        except OSError as fault:
            why = getattr(fault, "verify_message", "") or fault.strerror or fault
            self._answer = Answer(None, b"", f"TLS: {why}")
            return b""

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
        return Answer(None, data[:200], "the answer is not HTTP")
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
