"""The board's way to Debian's packages, though it reaches no network.

    python -m runner.board.archive        in the board's folder, one connection on stdin

The board's apt asks ADDRESS; QEMU starts this program for each connection, so that there
is not a port on this machine. What is asked for is fetched by this machine's own apt, with
its proxies and passwords, from the archives that the image was made of and no others.
The board's apt checks the signatures.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.board import registry
from runner.board.paths import images

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESS: Final = "10.0.2.9"
"""In QEMU's own network, where nothing else is."""

LABELS: Final = ("main", "security")
"""The archives of an image in their order, as the board's apt names them."""

HELPER: Final = "/usr/lib/apt/apt-helper"
_ASKED: Final = re.compile(r"/(\w+)(/(?:dists|pool)/[\w.,+~%:=@/-]+)")


def board_lines(sources: Sequence[str]) -> list[str]:
    """Give the board's `deb` lines for those that its image was made of."""
    return [
        f"deb http://{ADDRESS}/{label} {line.split(maxsplit=2)[2]}"
        for label, line in zip(LABELS, sources, strict=False)
    ]


def real(path: str, sources: Sequence[str]) -> str | None:
    """Give the address behind a path that the board's apt asked for; None for any other."""
    match = _ASKED.fullmatch(path)
    if match is None or ".." in match[2] or match[1] not in LABELS[: len(sources)]:
        return None
    return sources[LABELS.index(match[1])].split()[1] + match[2]


class _Connection(BaseHTTPRequestHandler):
    """Requests of the board's apt, one after the other."""

    protocol_version = "HTTP/1.1"
    sources: Sequence[str] = ()

    def do_GET(self) -> None:
        """Fetch one file and hand it on."""
        uri = real(self.path, self.sources)
        if uri is None:
            self.send_error(HTTPStatus.FORBIDDEN, "no file of this board's archives")
            return
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            subprocess.run(
                [HELPER, "download-file", uri, str(file)], check=False,
                stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr,
            )  # fmt: skip
            if not file.is_file():
                # apt asks for files that an archive need not have; the log says the rest
                self.send_error(HTTPStatus.NOT_FOUND, "this machine's apt did not get it")
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            with file.open("rb") as data:
                shutil.copyfileobj(data, self.wfile)


def main() -> int:
    """Serve the connection on stdin until the board hangs up."""
    # QEMU has put the connection on stderr as well
    log = os.open("archive.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    entry = registry.read(Path.cwd())
    if entry is None:
        return 1
    description = json.loads((images() / entry.image / "image.json").read_text(encoding="utf-8"))
    _Connection.sources = description["sources"]
    with socket.socket(fileno=os.dup(0)) as link:
        _Connection(link, (ADDRESS, 80), None)  # type: ignore[arg-type]  # no server stands behind it
    return 0


if __name__ == "__main__":
    sys.exit(main())
