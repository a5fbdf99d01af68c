"""A server of one page on the loopback interface: read only, for who knows its address.

Another page in the user's browser could ask it by a name that it makes point here (DNS
rebinding): a request whose `Host` is not this machine's own is answered as any unknown path.
Source: Johns, Lekies and Stock 2013, "Eradicating DNS rebinding with the extended same-origin
policy", USENIX Security, §2; RFC 6454 for what an origin is.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from runner.errors import RunnerError, SpecError
from runner.report.pages import site

if TYPE_CHECKING:
    from runner.apply.watching.live_page import LivePage

ADDRESS: Final = "127.0.0.1"
OWN_NAMES: Final = ("127.0.0.1", "localhost", "::1")
"""Through an ssh tunnel the port is another one; the name is not."""
TOKEN_BYTES: Final = 24
PATIENCE_S: Final = 10.0
"""For a request to be said, and its answer to be taken."""
NICENESS: Final = 10
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


class WatchServer(ThreadingHTTPServer):
    """Serves a page from `show` on, until it is closed."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            raise SpecError(
                f"cannot serve on port {port} of {ADDRESS}: {error}",
                fix="name another port, or none: runner apply … --watch",
            ) from None
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.page: LivePage | None = None
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def server_bind(self) -> None:
        """Bind without asking a name server who this machine is."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    @property
    def url(self) -> str:
        """Where it is: whoever has this may read the run."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def show(self, page: LivePage) -> None:
        """Serve this page from now on."""
        self.page = page

    def close(self) -> None:
        """Answer nobody any more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: who has gone before the answer is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server_version, sys_version = "runner", ""

    def setup(self) -> None:
        super().setup()
        # of this thread alone, and on Linux alone is there such a thing
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

    def do_GET(self) -> None:
        self._answered()

    def do_HEAD(self) -> None:
        self._answered()

    def _refused(self) -> None:
        status = HTTPStatus.NOT_FOUND if self._path() is None else HTTPStatus.METHOD_NOT_ALLOWED
        self._send(status, status.phrase)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refused  # noqa: N815 - http.server's

    def _path(self) -> str | None:
        """Give what was asked for within the token's folder; None for who may not ask."""
        hosts = self.headers.get_all("Host") or []
        with contextlib.suppress(ValueError):
            if len(hosts) == 1 and urlsplit(f"//{hosts[0]}").hostname in OWN_NAMES:
                _, token, *rest = urlsplit(self.path).path.split("/", 2)
                if rest and hmac.compare_digest(token.encode(), self._watch.token.encode()):
                    return rest[0]
        return None

    def _answered(self) -> None:
        path, page = self._path(), self._watch.page
        assets = site.assets()
        if path == "" and page is None:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, "The run has not begun.", refresh=True)
        elif path in {"", "stamp"} and page is not None:
            try:
                text = page.stamp() if path else page.text()
            except (RunnerError, OSError) as error:
                message = f"The record is being written: {error}"
                self._send(HTTPStatus.SERVICE_UNAVAILABLE, message, refresh=True)
                return
            self._send(HTTPStatus.OK, text, "text/plain" if path else "text/html")
        elif path is not None and path in assets:
            file = assets[path]
            text = file.read_text(encoding="utf-8")
            self._send(HTTPStatus.OK, text, TYPES["." + path.rpartition(".")[2]])
        else:
            self._send(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)

    def _send(
        self, status: HTTPStatus, text: str, kind: str = "text/plain", *, refresh: bool = False
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if refresh:
            self.send_header("Refresh", "2")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def _watch(self) -> WatchServer:
        return cast("WatchServer", self.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Tell the terminal nothing: it is the run's."""
