"""The hold is of the host: whichever state folder a run has, and whoever it is run as."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.host import boot
from runner.host.state import claims
from tests.host.agent import Host, pseudo
from tests.workers import HOLDS

if TYPE_CHECKING:
    from collections.abc import Iterator

SOMAXCONN = "/proc/sys/net/core/somaxconn"
OTHER = "20260101T000000Z-fedcba"
NOBODY = 65534


@pytest.fixture
def other(net: Host, tmp_path: Path) -> Host:
    """The same host by another state folder, for another run."""
    return replace(net, state=tmp_path / "other", run=OTHER)


def published() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in Path(HOLDS).glob("runner-hold-*.json")]


def test_another_state_folder_does_not_get_a_host_that_is_held(net: Host, other: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"))
    for program in ({"program": "restore"}, {"program": "trial", "trial": "t", "idle_s": 0.1}):
        assert other.ask(program).error == "busy"
    answer = other.converge(pseudo(SOMAXCONN, "4321"))
    assert answer.error == "busy"
    assert net.run in answer.end["error"]["message"]
    assert str(net.state) in answer.end["error"]["fix"]
    assert not (other.state / "hold.json").exists()
    busy = other.probe().only("host")["busy"]
    assert (busy["run"], busy["uid"], busy["state"]) == (net.run, os.geteuid(), str(net.state))
    assert other.ask({"program": "status"}).only("status")["alive"] is True
    net.restore()
    assert other.converge(pseudo(SOMAXCONN, "4321")).outcomes == {SOMAXCONN: "changed"}
    assert net.converge(pseudo(SOMAXCONN, "1")).error == "busy"
    other.restore()
    assert published() == []


def test_one_run_has_its_host_by_two_names(net: Host, other: Host) -> None:
    again = replace(other, run=net.run)
    net.converge(pseudo(SOMAXCONN, "1234"))
    assert again.converge().end["ok"]
    assert len(published()) == 2
    again.restore()
    net.restore()


@pytest.mark.parametrize(
    "gone",
    [{"pid": 2**22 + 1}, {"boot_id": "another"}, {"lease_s": 1, "seen": 1, "since": 1}],
    ids=str,
)
def test_a_hold_that_is_dead_keeps_nobody_away(net: Host, other: Host, gone: Any) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"))
    (path,) = Path(HOLDS).glob("runner-hold-*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **gone}))
    os.utime(path, (1, 1))
    assert other.converge().end["ok"]
    assert net.restore(force=True).end["ok"]
    other.restore()


def test_a_hold_whose_state_folder_is_gone_is_none(net: Host, other: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"))
    net.restore()
    net.converge()
    (net.state / "hold.json").unlink()
    assert other.converge().end["ok"]
    other.restore()
    assert published() == []


def test_a_lease_is_kept_alive_for_the_others_too(net: Host, other: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"), hold={"controller": "here", "lease_s": 60})
    (path,) = Path(HOLDS).glob("runner-hold-*.json")
    os.utime(path, (1, 1))
    net.probe()
    assert path.stat().st_mtime > 1
    assert other.converge().error == "busy"
    net.restore()


def test_what_is_kept_holds_nobody_off(net: Host, other: Host) -> None:
    held = {"controller": "test", "lease_s": None, "kept": True}
    net.converge(pseudo(SOMAXCONN, "1234"), hold=held)
    assert published() == []
    assert other.converge().end["ok"]
    other.restore()
    net.restore()


def test_a_reboot_of_its_own_run_is_known_to_all(
    net: Host, other: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runner.host.state import holds, state_folder

    net.converge(pseudo(SOMAXCONN, "1234"))
    here = state_folder.State(str(net.state))
    holds.leave_for_a_boot(here, net.run)
    monkeypatch.setattr(holds, "boot_id", lambda: "the next boot")
    for path in Path(HOLDS).glob("*"):
        if not json.loads(path.read_text())["rebooting"]:
            path.unlink()  # what a boot takes
    found = holds.holder(state_folder.open_state(str(other.state)))
    assert found is not None
    assert found["run"] == net.run
    monkeypatch.undo()
    net.restore(force=True)
    assert published() == []


@pytest.fixture
def nobody(net: Host) -> Iterator[Host]:
    """The same host as an unprivileged user has it."""
    if os.geteuid() != 0:
        pytest.skip("another user needs root")
    home = Path("/var/tmp") / f"runner-test-{os.getpid()}"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    words = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    yield Host(home / "state", (*net.prefix, *words), "/usr/bin/python3", OTHER)
    subprocess.run(["rm", "-rf", str(home)], check=True)


def test_two_users_of_one_board(net: Host, nobody: Host) -> None:
    """Whichever comes first, the second is told who has it."""
    if nobody.probe().end["ok"] is not True:
        pytest.skip("nobody cannot run the agent here")
    net.converge(pseudo(SOMAXCONN, "1234"))
    answer = nobody.converge()
    assert answer.error == "busy"
    assert net.run in answer.end["error"]["message"]
    net.restore()
    assert nobody.converge().end["ok"]
    answer = net.converge(pseudo(SOMAXCONN, "1234"))
    assert answer.error == "busy"
    assert f"as uid {NOBODY}" in answer.end["error"]["fix"]
    nobody.restore()
    assert net.converge(pseudo(SOMAXCONN, "1234")).outcomes == {SOMAXCONN: "changed"}
    net.restore()


def test_of_two_that_come_at_once_at_most_one_gets_it(net: Host, other: Host) -> None:
    net.probe()
    other.probe()
    for _ in range(15):
        links = []
        for host in (net, other):
            program = {"version": 1, "run": host.run, "program": "converge", "cells": [],
                       "hold": {"controller": "test", "lease_s": None}}  # fmt: skip
            link = subprocess.Popen(
                [*host.prefix, *boot.command(str(host.state), host.python)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            links.append((link, boot.frame(json.dumps(program).encode())))
        for link, frame in links:
            assert link.stdin is not None
            link.stdin.write(frame)
            link.stdin.flush()
        got = [link.communicate(timeout=30)[0] for link, _ in links]
        ends = [json.loads(out.splitlines()[-1]) for out in got]
        assert sum(end["ok"] for end in ends) <= 1
        assert all(end["ok"] or end["error"]["code"] == "busy" for end in ends)
        assert len(published()) == sum(end["ok"] for end in ends)
        net.restore(force=True)
        other.restore(force=True)


PLANTED: dict[str, bytes] = {
    "nothing": b"", "noise": os.urandom(5000), "no object": b"[1]", "numbers": b'{"state":1,"key":2}',
    "no run": b'{"state":"/","key":"1:1"}', "deep": b"[" * 4000,
    "wrong types": json.dumps({
        "state": "/etc", "key": "0:0", "run": "x", "pid": "1", "boot_id": 3, "controller": ["\x1b]0;x\x07"],
        "lease_s": "never", "since": 1e300, "seen": [], "rebooting": "yes",
    }).encode(),
    "a path with a nul": json.dumps({"state": "/a\0b", "key": "0:0", "run": "x", "pid": 1}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLANTED)
def test_whatever_somebody_has_put_there_is_no_fault(net: Host, kind: str) -> None:
    Path(HOLDS, f"runner-hold-{'0' * 32}.json").write_bytes(PLANTED[kind])
    Path(HOLDS, f"runner-hold-{'1' * 32}.json").symlink_to("/etc/shadow")
    os.mkfifo(Path(HOLDS, f"runner-hold-{'2' * 32}.json"))
    Path(HOLDS, f"runner-hold-{'3' * 32}.json").mkdir()
    answer = net.converge(pseudo(SOMAXCONN, "1234"))
    assert answer.outcomes == {SOMAXCONN: "changed"} or answer.error == "busy"
    assert "\x1b" not in json.dumps(answer.events)
    net.restore(force=True)


def test_what_is_too_much_is_said(net: Host) -> None:
    for number in range(claims.MOST + 1):
        Path(HOLDS, f"runner-hold-{number:032x}.json").touch()
    answer = net.converge(pseudo(SOMAXCONN, "1234"))
    assert answer.error == "busy"
    assert "more than" in answer.end["error"]["message"]


@pytest.mark.parametrize("claim", ["/etc/hostname", "../x", 3, None, "/run/lock/other"])
def test_a_hold_that_names_another_file_moves_and_removes_nothing(
    net: Host, tmp_path: Path, claim: Any
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    net.converge(pseudo(SOMAXCONN, "1234"), hold={"controller": "t", "lease_s": 60})
    hold = net.state / "hold.json"
    said = json.loads(hold.read_text())
    hold.write_text(json.dumps({**said, "claim": str(victim) if claim == "../x" else claim}))
    before = Path("/etc/hostname").stat().st_mtime_ns, victim.stat().st_mtime_ns
    net.probe()
    assert net.converge(pseudo(SOMAXCONN, "1235")).end["ok"]
    net.restore(force=True)
    assert (Path("/etc/hostname").stat().st_mtime_ns, victim.stat().st_mtime_ns) == before


def test_where_nothing_is_shared_it_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from runner.host.state import claims, holds, state_folder\n"
        "claims.VOLATILE = ('/proc', '/nowhere', '/etc')\n"
        "where = state_folder.open_state(sys.argv[1])\n"
        "try: holds.take(where, 'r', {})\n"
        "except state_folder.Refused as no: print(no.code, no.message, no.fix)\n"
    )
    env = {key: value for key, value in os.environ.items() if key != claims.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state")], env=env, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert "nobody could see who has this host" in done.stdout
    assert "install -d -m 1777" in done.stdout
