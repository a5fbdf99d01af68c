"""Boards of the tests, and the tool as a user starts it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.board import access, image, names, qemu, registry, tools

REPOSITORY = Path(__file__).parents[2]
needs_qemu = [
    pytest.mark.board,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        bool(tools.missing(tools.RUN if image.find() else tools.BUILD)),
        reason="this machine lacks QEMU or what builds the image: runner board build says what",
    ),
]

LIMIT = """\
schema: experiment/1
name: limit
hosts: {server: local}
requires: {server.cgroup.controllers: {contains: memory}}
system: {sysctl: {vm.swappiness: 10}}
workload:
  argv: [python3, -c, "import time; held = b'x' * ({mib} << 20); time.sleep(2)"]
  run: once
  cgroup: {memory.max: 32MiB, memory.swap.max: 0}
factors: {mib: ["4", "64"]}
repeat: 1
healthy: [cgroup.oom_kills == 0]
metrics: {killed: {from: cgroup.oom_kills}}
"""
"""A program that fits into its limit, and one that does not."""


def runner(
    *words: object, code: int | None = 0, timeout_s: float = 600
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "runner", *map(str, words)],
        cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=timeout_s,
    )  # fmt: skip
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


def inside(entry: registry.Entry, script: str, user: str = "root") -> str:
    done = subprocess.run(
        [*access.ssh(entry, user), script], check=False, capture_output=True, text=True, timeout=90
    )
    return done.stdout.strip()


def facts(name: str) -> dict[str, Any]:
    return dict(json.loads(runner("facts", name, "--json").stdout)[name])


def fresh(board: names.Board) -> Iterator[registry.Entry]:
    """A board of its own name: whoever works on `virtual` is not disturbed."""
    qemu.down(board.name)
    yield qemu.up(board, lambda _: None)
    qemu.down(board.name)


def until(true: Callable[[], object], within_s: float = 120) -> None:
    """Wait for it; the board is slow, and how slow depends on who else works."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


def limited(folder: Path, name: str) -> dict[str, tuple[str, bool]]:
    """Run LIMIT there: by level its outcome, and whether the kernel killed it for its memory."""
    spec = folder / "limit.yaml"
    spec.write_text(LIMIT, encoding="utf-8")
    done = runner("apply", spec, "-H", name, "--reports", folder / name, "--json")
    found = {}
    for trial in json.loads(done.stdout)["trials"]:
        (file,) = (folder / name).glob(f"limit/*/events/{trial['id']}.jsonl.gz")
        events = map(json.loads, gzip.decompress(file.read_bytes()).splitlines())
        (ended,) = [event for event in events if event["event"] == "workload_exited"]
        found[trial["treatment"]["mib"]] = (trial["outcome"], ended["oom_killed"])
    return found
