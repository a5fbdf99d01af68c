"""The board's way to packages: the program that QEMU starts for each connection."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.board import archive, names, registry

SOURCES = (
    "deb http://mirror.example/debian bookworm main",
    "deb http://mirror.example/debian-security bookworm-security main",
)


def test_the_board_asks_one_address_for_every_archive() -> None:
    assert archive.board_lines(SOURCES) == [
        "deb http://10.0.2.9/main bookworm main",
        "deb http://10.0.2.9/security bookworm-security main",
    ]
    assert archive.board_lines(SOURCES[:1]) == ["deb http://10.0.2.9/main bookworm main"]


def test_files_of_an_archive_have_an_address_behind_them() -> None:
    found = archive.real(
        "/security/pool/main/o/openssl/openssl_3.0.17-1~deb12u3_arm64.deb", SOURCES
    )
    assert found == (
        "http://mirror.example/debian-security/pool/main/o/openssl/openssl_3.0.17-1~deb12u3_arm64.deb"
    )
    assert archive.real("/main/dists/bookworm/InRelease", SOURCES) == (
        "http://mirror.example/debian/dists/bookworm/InRelease"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/main/../../secret",
        "/main/pool/../../secret",
        "/main/other/file",
        "/elsewhere/pool/a.deb",
        "http://127.0.0.1/main/pool/a.deb",
        "/main/pool/a.deb?b",
        "/main/pool/",
        "",
    ],
)
def test_anything_else_is_not_fetched(path: str) -> None:
    assert archive.real(path, SOURCES) is None


def test_an_archive_that_the_image_was_not_made_of_is_not_there() -> None:
    assert archive.real("/security/pool/a.deb", SOURCES[:1]) is None


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    pool = tmp_path / "mirror" / "pool"
    pool.mkdir(parents=True)
    (pool / "a_1_arm64.deb").write_bytes(b"package a")
    (pool / "b_1%3a2_arm64.deb").write_bytes(b"package b")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "mirror"))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not Path(archive.HELPER).exists(), reason="a board is made by apt: none here")
@pytest.mark.parametrize(
    ("last", "code"), [("/main/pool/none.deb", b"404"), ("/main/elsewhere", b"403")]
)
def test_requests_are_fetched_by_this_machines_apt(
    tmp_path: Path, mirror: str, last: str, code: bytes
) -> None:
    """Several on one connection, as apt asks; the connection is all that QEMU gives it."""
    told = tmp_path / "images" / "made" / "image.json"
    told.parent.mkdir(parents=True)
    told.write_text(json.dumps({"sources": [f"deb {mirror} bookworm main"]}))
    folder = tmp_path / "running" / "one"
    folder.mkdir(parents=True)
    registry.Entry(names.Board("one"), folder, 2222, "made").write()
    ours, its = socket.socketpair()
    ours.settimeout(60)
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    with ours, subprocess.Popen(
        [sys.executable, "-m", "runner.board.archive"],
        cwd=folder, stdin=its, stdout=its, stderr=its,
        env={**environment, "RUNNER_BOARDS": str(tmp_path)},
    ) as process:  # fmt: skip
        its.close()
        for path in ("/main/pool/a_1_arm64.deb", "/main/pool/b_1%253a2_arm64.deb", last):
            ours.sendall(f"GET {path} HTTP/1.1\r\nHost: {archive.ADDRESS}\r\n\r\n".encode())
        ours.shutdown(socket.SHUT_WR)
        said = b"".join(iter(partial(ours.recv, 65536), b""))
    assert process.returncode == 0
    assert re.findall(rb"HTTP/1\.1 (\d+) ", said) == [b"200", b"200", code]
    assert b"\r\n\r\npackage aHTTP" in said
    assert b"\r\n\r\npackage bHTTP" in said
    assert "GET /main/pool/a_1_arm64.deb" in (folder / "archive.log").read_text()
