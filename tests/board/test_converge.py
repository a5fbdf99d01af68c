"""Converge and restore on boards that really boot, with systemd as their init."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.board import access, names, qemu, registry
from tests.board.machine import LIMIT, fresh, inside, limited, needs_qemu, runner, until

pytestmark = needs_qemu

STATE = """\
schema: experiment/1
name: state
hosts: {server: local}
system:
  packages: [bc]
  swap: "off"
  transparent_hugepage: never
  hugepages: 16
  services: {stopped: [probe]}
"""
LOOK = (
    "cat /proc/swaps /sys/kernel/mm/transparent_hugepage/enabled /proc/sys/vm/nr_hugepages; "
    "systemctl is-active probe"
)


@pytest.fixture(scope="module")
def v2() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-v2"))


@pytest.fixture(scope="module")
def v1() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-v1", cgroup=1))


@pytest.fixture(scope="module")
def nomem() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-nomem", memory_controller=False))


def test_swap_pages_services_and_packages(v2: registry.Entry, tmp_path: Path) -> None:
    """A file and a zram with their priorities, THP, huge pages, a service: put back as they were.

    The package comes from the archive, though the board reaches no network, and stays.
    """
    inside(
        v2,
        "dd if=/dev/zero of=/swapfile bs=1M count=64 status=none; chmod 600 /swapfile; "
        "mkswap -q /swapfile; swapon -p 7 /swapfile; modprobe zram; echo 64M > /sys/block/zram0/disksize; "
        "mkswap -q /dev/zram0; swapon -p 100 /dev/zram0; "
        "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' > /etc/systemd/system/probe.service; "
        "systemctl daemon-reload; systemctl start probe",
    )
    before = inside(v2, LOOK)
    assert re.search(r"/swapfile\s.*\s7$", before, re.MULTILINE)
    assert re.search(r"/dev/zram0\s.*\s100$", before, re.MULTILINE)
    assert before.endswith("\nactive")
    spec = tmp_path / "state.yaml"
    spec.write_text(STATE, encoding="utf-8")
    words = ["-H", "test-v2", "--reports", tmp_path / "reports"]
    runner("apply", spec, *words, "--keep", "--twice")
    during = inside(v2, LOOK).splitlines()
    assert during[0].startswith("Filename")
    assert during[1].endswith("[never]")
    assert during[2:] == ["16", "inactive"]
    assert inside(v2, "echo 6*7 | bc") == "42"
    runner("restore", "test-v2")
    # the kernel lists areas in the order of swapon; with priorities it says nothing
    assert sorted(inside(v2, LOOK).splitlines()) == sorted(before.splitlines())
    assert inside(v2, "echo 6*7 | bc") == "42"


def test_a_limit_is_kept_on_both_cgroup_versions(
    v2: registry.Entry, v1: registry.Entry, tmp_path: Path
) -> None:
    """What fits runs, what does not is killed, and no group is left behind."""
    for entry in (v2, v1):
        outcomes = limited(tmp_path, entry.board.name)
        assert outcomes == {"4": ("healthy", False), "64": ("unhealthy", True)}
        (report,) = (tmp_path / entry.board.name).glob("limit/*/artifacts/report.md")
        assert "Emulated board" in report.read_text(encoding="utf-8")
        assert inside(entry, "cat /proc/sys/vm/swappiness") == "60"
        assert inside(entry, "find /sys/fs/cgroup -name 'runner*' -not -path '*/ssh*'") == ""


def test_without_sudo_the_user_is_told_how_to_allow_it(v2: registry.Entry, tmp_path: Path) -> None:
    guest = {"address": access.LOOPBACK, "port": v2.port, "user": "guest", "become": True,
             "key": str(access.key())}  # fmt: skip
    hosts = tmp_path / "hosts.yaml"
    hosts.write_text(json.dumps({"hosts": {"guest": guest}}), encoding="utf-8")
    spec = tmp_path / "state.yaml"
    spec.write_text(STATE, encoding="utf-8")
    done = runner(
        "apply", spec, "-H", "guest", "-i", hosts, "--known-hosts", access.known_hosts(v2),
        "--ssh-config", os.devnull, "--reports", tmp_path / "reports", code=2,
    )  # fmt: skip
    assert "`sudo -n` did not give root" in done.stderr
    assert "NOPASSWD" in done.stderr


def test_without_the_memory_controller_nothing_runs_unlimited(
    nomem: registry.Entry, tmp_path: Path
) -> None:
    """systemd-run -p MemoryMax=32M would succeed, unlimited, with exit 0."""
    quietly = inside(nomem, "systemd-run -q --wait -p MemoryMax=32M true && echo succeeded")
    assert quietly == "succeeded"
    # a spec that says nothing of the controller: the limit alone has to refuse
    lines = [line for line in LIMIT.splitlines() if not line.startswith("requires")]
    for text in (LIMIT, "\n".join(lines)):
        spec = tmp_path / "limit.yaml"
        spec.write_text(text, encoding="utf-8")
        done = runner("apply", spec, "-H", "test-nomem", "--reports", tmp_path / "reports", code=2)
        assert "add `cgroup_enable=memory` to the end of the one line in" in done.stderr
        assert "/boot/firmware/cmdline.txt" in done.stderr
    assert not list(tmp_path.glob("reports/limit/*/events/*"))
    assert inside(nomem, "cat /proc/sys/vm/swappiness") == "60"


def test_a_board_that_needs_no_configuration_is_started_by_its_name() -> None:
    """On first use, and with --ephemeral ended again by the command that started it."""
    if registry.find("virtual-nomem") is not None:
        pytest.skip("somebody works on virtual-nomem")
    done = runner("facts", "virtual-nomem", "--ephemeral", "--json")
    found = json.loads(done.stdout)["virtual-nomem"]
    assert found["emulated"] is True
    assert "memory" not in found["cgroup.controllers"]
    assert "cgroup_disable=memory" in found["kernel.cmdline"]
    assert registry.find("virtual-nomem") is None


def test_cmdline_txt_is_in_force_after_a_reboot(nomem: registry.Entry) -> None:
    """What the advice says helps: edited, rebooted, the controller is there."""
    ask = "cat /proc/sys/kernel/random/boot_id"
    boot = inside(nomem, ask)
    inside(
        nomem, "sed -i 's/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt; systemctl reboot"
    )
    until(lambda: inside(nomem, ask) not in {"", boot}, within_s=240)
    assert qemu.up(nomem.board, lambda _: None).port == nomem.port
    assert "memory" in inside(nomem, "cat /sys/fs/cgroup/cgroup.controllers").split()
