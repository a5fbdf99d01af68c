"""A real Go server at one moment: its smaps, its pages in memory, its heap dump, its profiles."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from runner.host.sample import fetch_pages
from runner.toolchain import BuildRequest, Toolchain, build, default_cache_dir, resolve

WORKLOADS = Path(__file__).parents[1] / "experiments/published/go-under-32mb/workloads"
CONNECTIONS = 40


@dataclass(frozen=True)
class Moment:
    """What was read of the process; `rollup` and `status` while it stood still."""

    go: Toolchain
    binary: Path
    smaps: str
    maps: str
    rollup: str
    status: str
    pages: str
    dump: bytes
    smaps_after: str
    heap: bytes
    goroutine: bytes


@cache
def moment(version: str, goarch: str = "", *, cgo: bool = False) -> Moment:
    """Start pingserver, open connections, ask each twice, collect, and read everything."""
    if goarch == "386" and platform.machine() not in ("x86_64", "i686"):
        pytest.skip("this machine runs no 386 programs")
    cache_dir = default_cache_dir()
    go = resolve(version, cache_dir)
    if cgo and shutil.which("gcc") is None:
        pytest.skip("there is no C compiler")
    env = {"CGO_ENABLED": "1" if cgo else "0"}
    made = build(
        BuildRequest(package_dir=WORKLOADS, package="./pingserver", goarch=goarch, env=env,
                     trimpath=True), go, cache_dir,
    )  # fmt: skip
    server = subprocess.Popen(
        [str(made.path), "-listen", "127.0.0.1:0", "-stats", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True, env={"GODEBUG": "memprofilerate=1", "GOGC": "100"},
    )  # fmt: skip
    try:
        side, port = (int(re.search(r":(\d+)$", server.stderr.readline())[1]) for _ in range(2))
        with contextlib.ExitStack() as stack:
            opened = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                for _ in range(CONNECTIONS)
            ]
            for _ in range(2):
                for one in opened:
                    one.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert one.recv(4096).endswith(b"pong")
            return _read(server.pid, go, made.path, f"http://127.0.0.1:{side}")
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def _read(pid: int, go: Toolchain, binary: Path, side: str) -> Moment:
    def page(path):
        with urllib.request.urlopen(side + path, timeout=10) as answer:
            return answer.read()

    page("/gc")
    folder = Path(f"/proc/{pid}")
    os.kill(pid, signal.SIGSTOP)
    still = {
        name: (folder / name).read_text() for name in ("smaps", "maps", "smaps_rollup", "status")
    }
    pages = fetch_pages.read(f"/proc/{pid}/pagemap")
    os.kill(pid, signal.SIGCONT)
    dump = page("/heapdump")
    return Moment(
        go=go, binary=binary, smaps=still["smaps"], maps=still["maps"],
        rollup=still["smaps_rollup"], status=still["status"], pages=pages, dump=dump,
        smaps_after=(folder / "smaps").read_text(),
        heap=page("/debug/pprof/heap"), goroutine=page("/debug/pprof/goroutine"),
    )  # fmt: skip
