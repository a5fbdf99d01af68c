"""The real thing: boards under QEMU. `make test-board`; the first run builds the image."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.board import access, image, names, qemu, registry, tools

pytestmark = [
    pytest.mark.board,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        bool(tools.missing(tools.RUN if image.find() else tools.BUILD)),
        reason="this machine lacks QEMU or what builds the image: runner board build says what",
    ),
]
REPOSITORY = Path(__file__).parents[2]


def runner(*words: object, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runner", *map(str, words)],
        cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=timeout_s,
    )  # fmt: skip


def inside(entry: registry.Entry, script: str, user: str = "root") -> str:
    done = subprocess.run(
        [*access.ssh(entry, user), script], check=False, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def facts(name: str) -> dict[str, object]:
    done = runner("facts", name, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[name]


def fresh(board: names.Board) -> Iterator[registry.Entry]:
    said: list[str] = []
    qemu.down(board.name)
    yield qemu.up(board, said.append)
    qemu.down(board.name)


# boards of the tests have names of their own: whoever works on `virtual` is not disturbed
@pytest.fixture(scope="module")
def v2() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-v2"))


@pytest.fixture(scope="module")
def v1() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-v1", cgroup=1))


@pytest.fixture
def nomem() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-nomem", memory_controller=False))


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


def test_it_listens_on_loopback_only_and_reaches_nothing(v2: registry.Entry) -> None:
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    port = f":{v2.port:04X} "
    addresses = [line.split()[1] for line in listening.splitlines() if port in line[:40]]
    assert {a.split(":")[0] for a in addresses} == {"0100007F"}
    # QEMU's gateway stands for this machine: its sshd, or anything else, is not reached
    assert inside(v2, "timeout 3 bash -c ': < /dev/tcp/10.0.2.2/22' || echo no") == "no"


def test_users_with_and_without_sudo(v2: registry.Entry) -> None:
    assert inside(v2, "sudo -n id -u", "pi") == "0"
    assert inside(v2, "sudo -n id -u || id -u", "guest") == "1001"


def test_quickstart_runs_on_both_cgroup_versions(
    v2: registry.Entry, v1: registry.Entry, tmp_path: Path
) -> None:
    """The limit is there and nothing is left behind; a verdict never rests on emulated time."""
    for entry in (v2, v1):
        name = entry.board.name
        before = inside(entry, "cat /proc/sys/vm/swappiness /proc/sys/net/core/somaxconn")
        done = runner(
            "apply", "experiments/quickstart.yaml", "-H", name, "--reports", tmp_path / name
        )
        assert done.returncode == 0, done.stderr
        (report,) = (tmp_path / name).glob("quickstart/*/artifacts/report.md")
        text = report.read_text(encoding="utf-8")
        assert "Emulated board" in text
        steps = [line.split("|") for line in text.splitlines() if re.match(r"\| +\d+ \| ", line)]
        assert len(steps) >= 3
        assert inside(entry, "cat /proc/sys/vm/swappiness /proc/sys/net/core/somaxconn") == before
        assert inside(entry, "find /sys/fs/cgroup -name 'runner*' -not -path '*/ssh*'") == ""


def test_without_the_memory_controller_nothing_runs_unlimited(nomem: registry.Entry) -> None:
    """systemd-run -p MemoryMax=32M would succeed, unlimited, with exit 0."""
    quietly = inside(nomem, "systemd-run -q --wait -p MemoryMax=32M true && echo succeeded")
    assert quietly == "succeeded"
    done = runner("apply", "experiments/quickstart.yaml", "-H", "test-nomem")
    assert done.returncode == 2
    assert "add `cgroup_enable=memory` to the end of the one line in" in done.stderr
    assert "/boot/firmware/cmdline.txt" in done.stderr
    assert "trial" not in done.stderr


def test_cmdline_txt_is_in_force_after_a_reboot(nomem: registry.Entry) -> None:
    """What the advice says helps: edited, rebooted, the controller is there."""
    boot = inside(nomem, "cat /proc/sys/kernel/random/boot_id")
    inside(
        nomem, "sed -i 's/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt; systemctl reboot"
    )
    until = time.monotonic() + 240
    while time.monotonic() < until:
        now = inside(nomem, "cat /proc/sys/kernel/random/boot_id")
        if now not in ("", boot):
            break
        time.sleep(1)
    assert qemu.up(nomem.board, lambda _: None).port == nomem.port
    assert "memory" in inside(nomem, "cat /sys/fs/cgroup/cgroup.controllers").split()


def test_power_cut_in_a_trial_is_undone_after_the_boot(v1: registry.Entry, tmp_path: Path) -> None:
    """QEMU killed in the middle: the board's own journal puts it back at the next start."""
    files = tmp_path / "reports"
    words = ["apply", "experiments/quickstart.yaml", "-H", "test-v1", "--reports", str(files)]
    run = subprocess.Popen(
        [sys.executable, "-m", "runner", *words], cwd=REPOSITORY,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if inside(v1, "cat /proc/sys/vm/swappiness") == "10" and inside(v1, "pidof wrk"):
                break
            time.sleep(0.5)
        pid = v1.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while v1.on:
            time.sleep(0.1)
        again = qemu.up(v1.board, lambda _: None)
        assert again.port == v1.port  # the controller finds the board again
        _, said = run.communicate(timeout=400)
    finally:
        run.kill()
    assert run.returncode != 0, said
    done = runner("restore", "test-v1")
    assert done.returncode == 0, done.stderr
    assert inside(again, "cat /proc/sys/vm/swappiness") == "60"
    assert "busy" not in runner("facts", "test-v1").stderr


def test_a_board_of_a_killed_controller_is_listed_and_ended(v2: registry.Entry) -> None:
    """The controller is killed while the board boots; `list` finds it, `down` ends it."""
    up = subprocess.Popen(
        [sys.executable, "-m", "runner", "board", "up", "--name", "test-left", "--cpus", "2"],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until:
        entry = registry.find("test-left")
        if entry is not None and entry.pid is not None:
            break
        time.sleep(0.1)
    up.kill()
    up.wait()
    assert "test-left: on" in runner("board", "list").stdout
    assert entry is not None
    pid = entry.pid
    assert runner("board", "down", "test-left").returncode == 0
    assert not Path(f"/proc/{pid}").exists()
    assert "test-left" not in runner("board", "list").stdout


def test_a_raspberry_pi_3_says_so() -> None:
    board = names.pi3("test-pi3")
    qemu.down(board.name)
    try:
        entry = qemu.up(board, lambda _: None)
        assert "Raspberry Pi 3" in inside(entry, "tr -d '\\0' < /proc/device-tree/model")
        assert facts("test-pi3")["emulated"] is True
    finally:
        qemu.down(board.name)


def test_swap_pages_and_services_come_back_as_they_were(v2: registry.Entry, tmp_path: Path) -> None:
    """A swap file with its priority, THP, huge pages, a service: off for the run, then as before."""
    inside(
        v2,
        "dd if=/dev/zero of=/swapfile bs=1M count=64 status=none; chmod 600 /swapfile; "
        "mkswap -q /swapfile; swapon -p 7 /swapfile; "
        "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' > /etc/systemd/system/probe.service; "
        "systemctl daemon-reload; systemctl start probe",
    )
    look = (
        "cat /proc/swaps /sys/kernel/mm/transparent_hugepage/enabled /proc/sys/vm/nr_hugepages; "
        "systemctl is-active probe"
    )
    before = inside(v2, look)
    assert re.search(r"/swapfile\s.*\s7$", before, re.MULTILINE)
    text = (REPOSITORY / "experiments" / "quickstart.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "  packages: [wrk]",
        '  swap: "off"\n  transparent_hugepage: never\n  hugepages: 16\n'
        "  services: {stopped: [probe]}\n  packages: [wrk]",
    )
    # beside its program, which has to lie in the spec's folder
    spec = REPOSITORY / "experiments" / f"test-board-{os.getpid()}.yaml"
    spec.write_text(text, encoding="utf-8")
    try:
        done = runner("apply", spec, "-H", "test-v2", "--reports", tmp_path / "reports")
    finally:
        spec.unlink()
    assert done.returncode == 0, done.stderr
    for changed in ("swap:/swapfile", "hugepages:default", "services:probe.service"):
        assert f"restored {changed}" in done.stderr
    assert inside(v2, look) == before
