"""A supervisor is killed, whose workload has children in sessions of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.host.cells import groups
from runner.host.state import pen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host.agent import Host

SPAWN = {
    "setsid": "subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "twice": "os.fork() or (os.setsid(), os.fork() and os._exit(0), os.execvp('sleep', ['sleep', '600']))",
    "no environment": "subprocess.Popen(['sleep', '600'], start_new_session=True, env={})",
    "deaf": "subprocess.Popen(['sh', '-c', 'trap \"\" TERM HUP INT; sleep 600'], start_new_session=True)",
}  # fmt: skip


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sleepers(mark: str) -> list[int]:
    """Processes in the working folder of the test."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (
                mark in str((path / "cwd").readlink())
                and b"sleep" in (path / "cmdline").read_bytes()
            ):
                found.append(int(path.name))
        except OSError:
            continue
    return found


def killed(host: Host, tmp_path: Path, spawn: str) -> list[int]:
    """Run a trial, kill its supervisor and its link; give what is left."""
    work = tmp_path / "work"
    work.mkdir()
    code = f"import os, subprocess, time; {spawn}; print('up', flush=True); time.sleep(600)"
    workload = {"argv": [sys.executable, "-c", code], "cwd": str(work), "ready": {"stdout": "up"}}
    program = {
        "program": "trial", "trial": "t1", "hold": {"controller": "test", "lease_s": None},
        "network": "host", "sample": {"hz": 1, "reads": []}, "workload": workload, "idle_s": 600,
        "stop": {"signal": "TERM", "grace_s": 1}, "abort": {"workload_dead_s": 0.1},
    }  # fmt: skip
    host.probe()
    thread = threading.Thread(target=lambda: host.ask(program), daemon=True)
    thread.start()
    folder = host.state / "runs" / host.run / "t1"
    until(lambda: bool(sleepers(str(work))) and (folder / "supervisor").exists())
    until(lambda: b'"event":"ready"' in (folder / "spool.jsonl").read_bytes())
    os.kill(int((folder / "supervisor").read_text()), signal.SIGKILL)
    thread.join(20)
    return sleepers(str(work))


@pytest.mark.parametrize("kind", SPAWN)
def test_restore_ends_them(host: Host, tmp_path: Path, kind: str) -> None:
    left = killed(host, tmp_path, SPAWN[kind])
    assert left, "it is what the test is about"
    answer = host.restore(force=True)
    assert answer.end["ok"], answer.events
    assert answer.outcomes.get("trial:20260101T000000Z-abcdef/t1") == "restored"
    until(lambda: not sleepers(str(tmp_path / "work")), 5)
    assert host.restore(force=True).outcomes == {}


def test_without_a_group_the_environment_marks_them(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pen, "_parents", lambda: iter(()))
    folder = tmp_path / "runs" / uuid.uuid4().hex / "t1"
    folder.mkdir(parents=True)
    made = pen.Pen(str(folder))
    assert made.join == []
    child = subprocess.Popen(
        ["sleep", "600"], start_new_session=True, env={**os.environ, **made.env}
    )
    until(lambda: b"sleep" in Path(f"/proc/{child.pid}/cmdline").read_bytes())
    assert pen.end_left(str(folder)) == (1, "") or child.poll() is not None
    assert child.wait(5) == -signal.SIGKILL


def test_a_trial_that_ends_leaves_no_group(host: Host) -> None:
    program = {
        "program": "trial", "trial": "t2", "hold": {"controller": "test", "lease_s": None},
        "network": "host", "sample": {"hz": 1, "reads": []}, "stop": {"signal": "TERM", "grace_s": 1},
        "workload": {"argv": ["sh", "-c", "setsid sleep 600 & echo done"], "run": "once"},
        "abort": {},
    }  # fmt: skip
    before = set(Path("/sys/fs/cgroup").rglob("runner-pen-*"))
    answer = host.ask(program)
    assert answer.end["ok"], answer.events
    assert set(Path("/sys/fs/cgroup").rglob("runner-pen-*")) <= before
    assert not (host.state / "runs" / host.run / "t2" / "pen").exists()


def test_a_note_that_names_something_else_is_not_followed(tmp_path: Path) -> None:
    for said in ("/etc", "/sys/fs/cgroup", "/sys/fs/cgroup/memory", "", "\0", "RUNNER"):
        (tmp_path / "pen").write_text(said)
        assert pen.end_left(str(tmp_path)) == (0, "")


def test_a_frozen_group_is_thawed() -> None:
    freezer = Path("/sys/fs/cgroup/freezer")
    if os.geteuid() != 0 or not (freezer / "cgroup.procs").exists():
        pytest.skip("no v1 freezer that may be changed")
    group = freezer / f"runner-test-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    child = subprocess.Popen(["sleep", "600"])
    (group / "cgroup.procs").write_text(str(child.pid))
    (group / "freezer.state").write_text("FROZEN")
    threading.Thread(target=child.wait, daemon=True).start()
    groups.remove(str(group))
    assert not group.exists()
