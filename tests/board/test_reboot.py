"""On a board that really boots: `reboot: allowed`, and a user without root in a delegated subtree.

tests/apply/test_reboot.py shows the former on a host in namespaces, beside what goes wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.board import access, image, names, qemu, registry, tools

pytestmark = [
    pytest.mark.board,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(
        bool(tools.missing(tools.RUN if image.find() else tools.BUILD)),
        reason="this machine lacks QEMU or what builds the image: runner board build says what",
    ),
]
REPOSITORY = Path(__file__).parents[2]
NAME = "test-reboot"
SPEC = f"""\
schema: experiment/1
name: reboot
hosts: {{server: {NAME}}}
requires:
  server.cgroup.controllers: {{contains: memory}}
system:
  kernel_cmdline: {{present: [cgroup_enable=memory], reboot: allowed}}
  sysctl: {{vm.swappiness: 7}}
  cgroup: {{web: {{memory.max: 32MiB}}}}
workload: {{argv: [cat, /proc/cmdline], run: once}}
metrics:
  word: {{from: stdout.regex, pattern: 'cgroup_enable=(memory)', kind: text}}
"""
WITHOUT_ROOT = """\
schema: experiment/1
name: without-root
hosts: {server: guest}
system:
  cgroup: {web: {memory.max: 33554433, pids.max: 50}}
"""

# The board has no libpam-systemd, so no `systemd --user`. Its unit runs a keeper in its
# place, which steps aside into init.scope as that does; the delegation is systemd's own.
DELEGATE = """
folder=/etc/systemd/system/user@1001.service.d
mkdir -p $folder
cat > $folder/keeper.conf <<'END'
[Service]
Type=simple
PAMName=
ExecStart=
ExecStart=/bin/sh -c 'g=/sys/fs/cgroup/user.slice/user-1001.slice/user@1001.service; \
  mkdir $g/init.scope; echo $$$$ > $g/init.scope/cgroup.procs; exec sleep infinity'
END
systemctl daemon-reload
systemctl start user@1001
sleep 2
systemctl is-active user@1001
"""


def runner(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "runner", *map(str, words)],
        cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def inside(entry: registry.Entry, script: str, user: str = "root") -> str:
    done = subprocess.run(
        [*access.ssh(entry, user), script], check=False, capture_output=True, text=True, timeout=90
    )
    return done.stdout.strip()


def fresh(board: names.Board) -> Iterator[registry.Entry]:
    qemu.down(board.name)
    yield qemu.up(board, lambda _: None)
    qemu.down(board.name)


@pytest.fixture
def board() -> Iterator[registry.Entry]:
    yield from fresh(names.Board(NAME, memory_controller=False))


@pytest.fixture
def delegating() -> Iterator[registry.Entry]:
    yield from fresh(names.Board("test-guest"))


def test_the_controller_comes_with_a_reboot_and_the_run_goes_on(
    board: registry.Entry, tmp_path: Path
) -> None:
    """cmdline.txt edited, booted once, limits applied, and all but the words as it was."""
    spec, reports = tmp_path / "reboot.yaml", tmp_path / "reports"
    spec.write_text(SPEC, encoding="utf-8")
    look = "cat /boot/firmware/cmdline.txt /proc/sys/vm/swappiness; stat -c %a /boot/firmware/cmdline.txt"
    boot = "cat /proc/sys/kernel/random/boot_id"
    before, first = inside(board, look), inside(board, boot)
    assert before
    done = runner("apply", spec, "--reports", reports, "-v")
    assert "changed  kernel_cmdline:/boot/firmware/cmdline.txt" in done.stderr
    assert "until the next reboot" in done.stderr
    second = inside(board, boot)
    assert second not in {"", first}
    assert inside(board, look) == before
    assert "memory" in inside(board, "cat /sys/fs/cgroup/cgroup.controllers").split()
    (run,) = (reports / "reboot").iterdir()
    changes = [json.loads(line) for line in (run / "changes.jsonl").read_text().splitlines()]
    limits = [c for c in changes if c["id"].endswith("memory.max") and c["phase"] == "converge"]
    assert [c["after"] for c in limits] == [str(32 << 20)]
    # the words are in force still: no second reboot
    runner("apply", spec, "--reports", reports)
    assert inside(board, boot) == second
    assert inside(board, "find /sys/fs/cgroup -name 'runner*' -not -path '*/ssh*'") == ""


def test_limits_without_root_where_systemd_delegates(
    delegating: registry.Entry, tmp_path: Path
) -> None:
    """A user's own subtree is enough for a cgroup; a sysctl beside it is named as needing root."""
    hosts = {"guest": {"address": access.LOOPBACK, "port": delegating.port, "user": "guest",
                       "key": str(access.key())}}  # fmt: skip
    (tmp_path / "hosts.yaml").write_text(json.dumps({"hosts": hosts}), encoding="utf-8")
    spec = tmp_path / "state.yaml"
    spec.write_text(WITHOUT_ROOT, encoding="utf-8")
    words = [
        "-i", tmp_path / "hosts.yaml", "--known-hosts", access.known_hosts(delegating),
        "--ssh-config", os.devnull,
    ]  # fmt: skip
    apply = ["apply", spec, *words, "--reports", tmp_path / "reports"]
    assert inside(delegating, DELEGATE) == "active"
    runner(*apply, "--keep", "--twice")
    found = inside(
        delegating,
        "cat /sys/fs/cgroup/user.slice/user-1001.slice/user@1001.service/runner/web/memory.max "
        "/sys/fs/cgroup/user.slice/user-1001.slice/user@1001.service/runner/web/pids.max",
    )
    assert found.split() == [str(32 << 20), "50"]
    runner("restore", "guest", *words)
    left = "find /sys/fs/cgroup/user.slice -name 'runner*'"
    assert inside(delegating, left) == ""
    spec.write_text(WITHOUT_ROOT + "  sysctl: {vm.swappiness: 7}\n  aslr: conservative\n")
    said = runner(*apply, code=2).stderr
    assert "root is needed for aslr:host, sysctl:vm.swappiness" in said
    assert inside(delegating, left) == ""
