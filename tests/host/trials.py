"""Trial programs and what they answer, through the agent as a controller starts it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.kinds.generators.wrk import LUA
from tests.workers import unique

PYTHON = sys.executable
SERVERS = Path(__file__).parent / "servers"
MEMORY_V1 = Path("/sys/fs/cgroup/memory")
GROUPS = MEMORY_V1 / unique("runner-tests")
"""Groups of this process: another worker has its own."""
READS = [
    {"id": "procfs.status", "path": "/proc/{pid}/status", "hz": 20, "pick": {"keys": ["VmRSS", "VmPTE"]}},
    {"id": "procfs.stat", "path": "/proc/{pid}/stat", "hz": 20, "pick": {"after_comm": [11, 12, 17]}},
    {"id": "host.vmstat", "path": "/proc/vmstat", "hz": 1, "pick": {"keys": ["oom_kill"]}},
    {"id": "net.sockets", "path": "", "hz": 2, "pick": {"established": "{port}"}},
    {"id": "net.netstat", "path": "/proc/net/netstat", "hz": 1, "pick": {"netstat": ["TcpExt.ListenOverflows"]}},
]  # fmt: skip


def server(name: str, *argv: str, **more: Any) -> dict[str, Any]:
    """A small Python server of tests/host/servers as the workload."""
    return {
        "argv": [PYTHON, "-I", "-S", str(SERVERS / f"{name}.py"), *argv],
        "listen": {"port": None},
        "ready": {"http": "http://127.0.0.1:{port}/", "within_s": 10},
        **more,
    }


def program(workload: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "program": "trial",
        "trial": "t1",
        "hold": {"controller": "test", "lease_s": None},
        "network": "isolated",
        "sample": {"hz": 20, "reads": READS},
        "workload": workload,
        "stop": {"signal": "TERM", "grace_s": 5},
        "abort": {"workload_dead_s": 0.1, "oom_kills": None},
        **more,
    }


def memory_group(name: str, limit: str | None) -> dict[str, Any]:
    """A memory group of cgroup v1 with a limit, below a folder made for the tests."""
    folder = GROUPS / name
    cells = [
        {"id": f"cgroup:{path}", "via": "cgroup", "path": str(path), "want": "present"}
        for path in (folder.parent, folder)
    ]
    if limit is not None:
        path = str(folder / "memory.limit_in_bytes")
        cells.append({"id": "limit", "via": "pseudo", "path": path, "want": limit, "form": "page"})
    return {"version": 1, "join": [str(folder)], "cells": cells}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events if event["event"] not in ("sample", "result")]


def only(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [event for event in events if event["event"] == kind]
    return found


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def spool(state: Path, run: str, trial: str = "t1") -> Path:
    return state / "runs" / run / trial / "spool.jsonl"


def said(path: Path) -> list[dict[str, Any]]:
    """Whole events of a spool so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_root() -> bool:
    return os.geteuid() == 0


needs_v1 = pytest.mark.skipif(
    not (MEMORY_V1 / "memory.limit_in_bytes").exists(), reason="no memory cgroup v1"
)
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def ping(how="", **more):
    return server("ping", how, env={"PORT": "{port}"}, **more)


def step(index=0, seconds=1, connections=8, **more):
    argv = [
        "wrk",
        "-t2",
        f"-c{connections}",
        f"-d{seconds}s",
        "-s",
        "{dir}/wrk.lua",
        "http://127.0.0.1:{port}/",
    ]
    return {
        "index": index, "name": str(connections), "connections": connections, "warmup": None,
        "argv": argv, "measure_s": seconds, "timeout_s": seconds + 20, "cooldown": None, **more,
    }  # fmt: skip


def load(*steps, between="keep"):
    return {
        "load": {"steps": list(steps), "between": between, "cpus": None},
        "files": [{"name": "wrk.lua", "text": LUA}],
    }
