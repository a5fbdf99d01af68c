"""Real things to change: a network namespace, control groups, files."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host.agent import Host
from tests.host.scene import scene  # noqa: F401 - a fixture
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/sys/fs/cgroup/memory")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """The agent in this machine's own namespaces."""
    return Host(tmp_path / "state")


@pytest.fixture
def put_back(host: Host) -> Iterator[None]:
    """At the test's end the host is restored, and is as it was."""
    yield
    answer = host.restore(force=True)
    assert set(answer.outcomes.values()) <= {"ok", "restored"}


@pytest.fixture
def netns() -> Iterator[int]:
    """The pid of a process in a network namespace of its own; net.* below /proc/sys are private."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
    mine = Path("/proc/self/ns/net").readlink()
    until(lambda: Path(f"/proc/{holder.pid}/ns/net").readlink() != mine or holder.poll())
    if holder.poll() is not None:
        pytest.skip("no network namespaces here")
    yield holder.pid
    holder.kill()
    holder.wait()


@pytest.fixture
def net(tmp_path: Path, netns: int) -> Host:
    """The agent in a network namespace of its own."""
    return Host(tmp_path / "state", ("nsenter", f"--net=/proc/{netns}/ns/net"))


@pytest.fixture
def group() -> Iterator[Path]:
    """The path of a v1 memory group that is not there yet; removed with all that is in it."""
    if os.geteuid() != 0 or not (MEMORY / "cgroup.procs").exists():
        pytest.skip("no cgroup v1 memory controller that may be changed")
    path = MEMORY / f"runner-test-{uuid.uuid4().hex[:8]}"
    yield path
    for folder, _, _ in os.walk(path, topdown=False):
        until(lambda: emptied(folder))  # noqa: B023 - called at once
        Path(folder).rmdir()


def emptied(folder: str) -> bool:
    """Whether a group has no process; those that it has are killed."""
    pids = Path(folder, "cgroup.procs").read_text().split()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), 9)
    return not pids
