"""TLS over a raw socket that never blocks: for the readiness of an https server alone.

`ssl` is imported where a spec asks for it: it costs a megabyte and more.
"""

from __future__ import annotations

import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .raw_socket import socket


class Tls:
    """One client's side; `turn` moves it on with what has come, and gives what was decrypted."""

    def __init__(self, host: str, request: bytes, insecure: bool, ca: Optional[str]) -> None:
        context = ssl.create_default_context(cafile=ca)
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ends = context.wrap_bio(self._in, self._out, server_hostname=host)
        self._request, self._shaken = request, False

    def turn(self, data: bytes, sock: "socket.socket") -> bytes:
        """Take bytes from the socket and send what is due; raises OSError (SSLError is one)."""
        if data:
            self._in.write(data)
        data_read = b""
        try:
            if not self._shaken:
                self._ends.do_handshake()
                self._shaken = True
                self._ends.write(self._request)
            while True:
                part = self._ends.read(65536)
                if not part:
                    break
                data_read += part
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass
        finally:
            out = self._out.read()
            if out:
                sock.send(out)  # a handshake and one request: they fit into an empty buffer
        return data_read
