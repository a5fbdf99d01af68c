"""The real thing: boards under QEMU. `make test-board`; the first run builds the image."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.board import image, names, qemu, recipe, registry, tools
from runner.board.errors import BoardError
from tests.board.machine import REPOSITORY, facts, fresh, inside, limited, needs_qemu, runner, until

pytestmark = needs_qemu


@pytest.fixture(scope="module")
def v2() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-v2"))


def test_facts_say_what_it_is(v2: registry.Entry) -> None:
    found = facts("test-v2")
    assert found["emulated"] is True
    assert found["arch"] == "aarch64"
    assert found["init"] == "systemd"
    assert found["cgroup.version"] == 2
    assert "memory" in found["cgroup.controllers"]
    assert inside(v2, "hostname") == "test-v2"
    assert inside(v2, "systemctl is-system-running") == "running"


def test_the_second_start_is_the_snapshot(v2: registry.Entry) -> None:
    """A copy of the booted machine, with another port and the time of today."""
    said: list[str] = []
    started = time.monotonic()
    copy = qemu.up(names.Board("test-copy"), said.append)
    took = time.monotonic() - started
    try:
        assert not [line for line in said if "booting" in line], said
        assert took < 60
        assert copy.port != v2.port
        assert inside(copy, "hostname") == "test-copy"
        assert abs(float(inside(copy, "date +%s")) - time.time()) < 10
    finally:
        qemu.down("test-copy")


def test_it_listens_on_loopback_only_and_reaches_packages_only(v2: registry.Entry) -> None:
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    port = f":{v2.port:04X} "
    addresses = [line.split()[1] for line in listening.splitlines() if port in line[:40]]
    assert {a.split(":")[0] for a in addresses} == {"0100007F"}
    # QEMU's gateway stands for this machine: its sshd, or anything else, is not reached
    assert inside(v2, "timeout 3 bash -c ': < /dev/tcp/10.0.2.2/22' || echo no") == "no"
    assert inside(v2, "timeout 3 bash -c ': < /dev/tcp/10.0.2.9/22' || echo no") == "no"
    ask = "import urllib.request as u; u.urlopen('http://10.0.2.9/etc/passwd', timeout=60)"
    assert "HTTP Error 403" in inside(v2, f'python3 -c "{ask}" 2>&1')


def test_users_with_and_without_sudo(v2: registry.Entry) -> None:
    assert inside(v2, "sudo -n id -u", "pi") == "0"
    assert inside(v2, "sudo -n id -u || id -u", "guest") == "1001"


def test_a_board_of_a_killed_controller_is_listed_and_ended(v2: registry.Entry) -> None:
    """The controller is killed while the board boots; `list` finds it, `down` ends it."""
    up = subprocess.Popen(
        [sys.executable, "-m", "runner", "board", "up", "--name", "test-left", "--cpus", "2"],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: (entry := registry.find("test-left")) is not None and entry.pid is not None)
    up.kill()
    up.wait()
    assert "test-left: on" in runner("board", "list").stdout
    entry = registry.find("test-left")
    assert entry is not None
    pid = entry.pid
    runner("board", "down", "test-left")
    assert not Path(f"/proc/{pid}").exists()
    assert "test-left" not in runner("board", "list").stdout


def test_a_raspberry_pi_3_says_so_and_keeps_a_limit(tmp_path: Path) -> None:
    """Its SD card, its USB network, its device tree, 1 GiB."""
    board = names.pi3("test-pi3")
    qemu.down(board.name)
    try:
        entry = qemu.up(board, lambda _: None)
        assert "Raspberry Pi 3" in inside(entry, "tr -d '\\0' < /proc/device-tree/model")
        found = facts("test-pi3")
        assert found["emulated"] is True
        assert "Raspberry Pi 3" in found["board.model"]
        outcomes = limited(tmp_path, "test-pi3")
        assert outcomes == {"4": ("healthy", False), "64": ("unhealthy", True)}
        assert inside(entry, "cat /proc/sys/vm/swappiness") == "60"
    finally:
        qemu.down(board.name)


@pytest.mark.skipif(
    bool(tools.missing(tools.BUILD)) or os.geteuid() != 0, reason="an image is built by root"
)
def test_a_killed_build_leaves_what_the_next_one_goes_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages are downloaded once; what can be wrong is said, and nothing is left mounted."""
    monkeypatch.setenv("RUNNER_BOARDS", str(tmp_path))
    build = subprocess.Popen(
        [sys.executable, "-m", "runner", "board", "build"], cwd=REPOSITORY,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    part = tmp_path / "images" / f"{recipe.identity()}.part"
    until(lambda: len(list((part / "root/var/cache/apt/archives").glob("*.deb"))) > 20)
    build.kill()
    build.wait()
    with pytest.raises(BoardError) as caught:
        image.build(lambda _: None, mirror="http://127.0.0.1:9/debian")
    assert "the image was not built" in caught.value.message
    assert "it goes on with what it has" in caught.value.fix
    assert len(list((tmp_path / "packages").glob("*.deb"))) > 20
    assert image.find() is None
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
