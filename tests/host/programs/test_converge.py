"""Compare, journal, apply, read back: on real kernel keys in a network namespace of its own.

Observed on Linux 6.18; the keys are old.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from tests.host import snapshot
from tests.host.agent import Host, pseudo
from tests.workers import kernel

IP = "/proc/sys/net/ipv4"
SOMAXCONN = "/proc/sys/net/core/somaxconn"
RETRANS = f"{IP}/neigh/lo/retrans_time_ms"
RMEM = f"{IP}/tcp_rmem"
FORWARD = f"{IP}/ip_forward"
REDIRECTS = f"{IP}/conf/all/accept_redirects"
ROOT = os.geteuid() == 0


def test_a_changed_key_is_put_back(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN])
    done = net.converge(pseudo(SOMAXCONN, "1234"))
    assert done.outcomes == {SOMAXCONN: "changed"}
    assert done.results[SOMAXCONN]["before"] == before[SOMAXCONN].strip()
    assert done.results[SOMAXCONN]["after"] == "1234"
    assert snapshot.keys(net, [SOMAXCONN]) == {SOMAXCONN: "1234\n"}
    assert net.restore().outcomes == {SOMAXCONN: "restored"}
    assert snapshot.keys(net, [SOMAXCONN]) == before


def test_the_second_time_nothing_changes(net: Host) -> None:
    cells = [
        pseudo(RMEM, "4096 131072 6291456"),  # shown with tabs
        pseudo(f"{IP}/ip_local_reserved_ports", "8080,8081,8082", form="ranges"),
        pseudo(SOMAXCONN, "0x400", form="integer"),
        pseudo(f"{IP}/tcp_fin_timeout", "0", form="integer"),
    ]
    first = net.converge(*cells)
    assert set(first.outcomes.values()) == {"changed"}
    second = net.converge(*cells)
    assert list(second.outcomes.values()) == ["ok", "ok (normalised)", "ok (normalised)", "ok"]
    assert "8080-8082" in second.results[cells[1]["id"]]["why"]


def test_a_word_that_is_asked_for_never_reads_as_it_was_written_and_a_secret_is_not_shown(
    net: Host,
) -> None:
    word = pseudo(f"{IP}/tcp_available_congestion_control", "+reno", form="set")
    hidden = pseudo(SOMAXCONN, "0x400", form="integer", secret=True)
    done = net.converge(word, hidden)
    assert list(done.outcomes.values()) == ["ok", "changed"]
    again = net.converge(word, hidden)
    assert list(again.outcomes.values()) == ["ok", "ok (normalised)"]
    assert again.results[SOMAXCONN]["why"] == "the kernel shows it in another form"


def test_the_kernel_rounds_and_that_is_a_failure(net: Host) -> None:
    """retrans_time_ms counts jiffies: 101 is not kept unless a jiffy is 1 ms."""
    before = snapshot.keys(net, [RETRANS])
    done = net.converge(pseudo(RETRANS, "101", form="integer"))
    if done.results[RETRANS]["after"] == "101":
        pytest.skip("this kernel has 1000 jiffies a second")
    kept = done.results[RETRANS]["after"]
    assert done.outcomes == {RETRANS: "failed"}
    assert done.results[RETRANS]["why"] == f"kernel kept '{kept}', not '101'"
    assert not done.end["ok"]
    assert net.restore().outcomes == {RETRANS: "restored"}, "a rounded value is ours too"
    assert snapshot.keys(net, [RETRANS]) == before


def test_zero_is_a_value(net: Host) -> None:
    key = f"{IP}/tcp_sack"
    assert net.converge(pseudo(key, "0", form="integer")).outcomes == {key: "changed"}
    assert net.converge(pseudo(key, "0", form="integer")).outcomes == {key: "ok"}


@pytest.mark.parametrize("want", ["", " ", "\n"])
def test_an_empty_write_is_refused(net: Host, want: str) -> None:
    done = net.converge(pseudo(SOMAXCONN, want, form="integer"))
    assert done.outcomes == {SOMAXCONN: "failed"}
    assert "empty write" in done.results[SOMAXCONN]["why"]


def test_a_list_can_be_emptied(net: Host) -> None:
    key = f"{IP}/ip_local_reserved_ports"
    net.converge(pseudo(key, "80", form="ranges"))
    assert net.converge(pseudo(key, "", form="ranges")).outcomes == {key: "changed"}
    assert net.converge(pseudo(key, "", form="ranges")).outcomes == {key: "ok"}


def test_a_key_that_was_empty_is_empty_again(net: Host) -> None:
    key = f"{IP}/ip_local_reserved_ports"
    net.converge(pseudo(key, "80-90", form="ranges"))
    assert net.restore().outcomes == {key: "restored"}
    assert snapshot.keys(net, [key]) == {key: "\n"}


def test_undoing_a_key_that_disturbs_others_puts_them_back_too(net: Host) -> None:
    """ip_forward 0→1→0 leaves accept_redirects at 1 where it was 0, and the other way."""
    watched = [
        FORWARD,
        REDIRECTS,
        f"{IP}/conf/all/forwarding",
        f"{IP}/conf/default/forwarding",
        f"{IP}/conf/lo/forwarding",
    ]
    for redirects in ("0", "1"):
        net.converge(pseudo(REDIRECTS, redirects))
        (net.state / "journal.jsonl").unlink(missing_ok=True)
        before = snapshot.keys(net, watched)
        net.converge(pseudo(FORWARD, "1", coupled=watched[1:]))
        assert snapshot.keys(net, watched) != before
        assert net.restore().end["ok"]
        assert snapshot.keys(net, watched) == before


@kernel
@pytest.mark.skipif(not ROOT, reason="vm.* is the machine's own")
@pytest.mark.parametrize("first", ["bytes", "ratio"])
def test_two_units_of_one_setting(host: Host, first: str) -> None:
    """vm.dirty_bytes refuses 0 and is zeroed by vm.dirty_ratio: only the last write decides."""
    paths = [f"/proc/sys/vm/dirty_background_{unit}" for unit in ("bytes", "ratio")]
    wants = {paths[0]: str(1 << 28), paths[1]: "9"}
    before = snapshot.keys(host, paths)
    key, other = paths if first == "bytes" else paths[::-1]
    try:
        assert host.converge(pseudo(key, wants[key], coupled=[other])).outcomes == {key: "changed"}
        if first == "bytes":
            assert snapshot.keys(host, [other]) == {other: "0\n"}
    finally:
        restored = host.restore()
    assert restored.end["ok"], restored.events
    assert snapshot.keys(host, paths) == before


def test_a_cell_that_another_one_disturbs_is_written_again_and_put_back(net: Host) -> None:
    """Writing conf/all/forwarding writes conf/lo/forwarding too, which nobody said is coupled."""
    every, one = f"{IP}/conf/all/forwarding", f"{IP}/conf/lo/forwarding"
    watched = [every, one, f"{IP}/conf/default/forwarding", REDIRECTS, FORWARD]
    before = snapshot.keys(net, watched)
    done = net.converge(pseudo(every, "1", coupled=watched[2:]), pseudo(one, "0"))
    assert done.outcomes == {every: "changed", one: "changed"}
    assert snapshot.keys(net, [every, one]) == {every: "1\n", one: "0\n"}
    assert net.restore().end["ok"]
    assert snapshot.keys(net, watched) == before


def test_what_excludes_each_other_is_a_failure_of_one(net: Host) -> None:
    """ip_forward and conf/all/forwarding are one value; read back is after the last write."""
    every = f"{IP}/conf/all/forwarding"
    done = net.converge(pseudo(FORWARD, "1"), pseudo(every, "0"))
    assert sorted(done.outcomes.values()) == ["changed", "failed"]
    assert net.restore().end["ok"]
    assert snapshot.keys(net, [FORWARD]) == {FORWARD: "0\n"}


def test_check_says_what_would_change_and_changes_nothing(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN, RMEM])
    now = before[RMEM].strip()
    done = net.converge(pseudo(SOMAXCONN, "1234"), pseudo(RMEM, now), check=True)
    assert done.outcomes == {SOMAXCONN: "would change", RMEM: "ok"}
    assert snapshot.keys(net, [SOMAXCONN, RMEM]) == before
    assert not (net.state / "journal.jsonl").exists()
    assert not (net.state / "hold.json").exists()


def test_a_key_the_kernel_does_not_have_fails_and_is_not_journalled(net: Host) -> None:
    key = "/proc/sys/net/ipv4/no_such_key"
    done = net.converge(pseudo(key, "1"), pseudo(SOMAXCONN, "1234"))
    assert done.outcomes == {key: "failed", SOMAXCONN: "changed"}
    assert done.results[key]["why"] == f"this kernel has no {key}"
    assert "no_such_key" not in (net.state / "journal.jsonl").read_text()


def test_a_value_the_kernel_refuses_is_said_in_its_words(net: Host) -> None:
    done = net.converge(pseudo(f"{IP}/tcp_congestion_control", "nosuch"))
    assert "cannot be written: " in done.results[f"{IP}/tcp_congestion_control"]["why"]
    assert "(ENOENT)" in done.results[f"{IP}/tcp_congestion_control"]["why"]


def test_a_read_only_key_fails(net: Host) -> None:
    key = "/proc/sys/kernel/osrelease"
    done = net.converge(pseudo(key, "1"))
    assert done.outcomes == {key: "failed"}


def test_what_names_a_failed_cell_is_not_tried(net: Host) -> None:
    bad = pseudo(f"{IP}/no_such_key", "1")
    done = net.converge(bad, pseudo(SOMAXCONN, "1234", after=[bad["id"]]))
    assert done.results[SOMAXCONN]["outcome"] == "failed"
    assert "not tried" in done.results[SOMAXCONN]["why"]
    assert net.restore().end["ok"]


def test_a_kept_cell_stays(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234", keep=True))
    assert net.restore().outcomes == {}
    assert snapshot.keys(net, [SOMAXCONN]) == {SOMAXCONN: "1234\n"}


def test_an_action_is_written_every_time_and_not_journalled(net: Host) -> None:
    """A key without a state; route/flush can only be written."""
    key = f"{IP}/route/flush"
    for _ in range(2):
        done = net.converge(pseudo(key, "1", action=True))
        assert done.outcomes == {key: "changed"}
    assert net.restore().outcomes == {}


def test_a_secret_is_in_no_event(net: Host) -> None:
    key = f"{IP}/tcp_fastopen_key"
    want = "00112233-44556677-8899aabb-ccddeeff"
    cell = pseudo(key, want, secret=True)
    said = [
        net.probe(cell),
        net.converge(cell),
        net.converge(cell),
        net.converge({**cell, "want": "x"}),
        net.restore(),
    ]
    for answer in said:
        assert "00112233" not in json.dumps(answer.events)
    assert said[1].outcomes == {key: "changed"}
    assert said[2].outcomes == {key: "ok"}
    assert said[1].results[key]["after"] == "(secret)"


def test_someone_else_s_run_is_refused(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"))
    other = {
        "program": "converge",
        "cells": [pseudo(SOMAXCONN, "99")],
        "hold": {"controller": "b", "lease_s": None},
    }
    answer = net.ask(other, run="other")
    assert answer.error == "busy"
    assert net.run in answer.end["error"]["message"]
    assert answer.end["error"]["fix"]
    assert snapshot.keys(net, [SOMAXCONN]) == {SOMAXCONN: "1234\n"}
    assert net.ask({"program": "restore"}, run="other").error == "busy"
    assert net.ask({"program": "restore", "force": True}, run="other").outcomes == {
        SOMAXCONN: "restored"
    }
    assert net.ask(other, run="other").outcomes == {SOMAXCONN: "changed"}


def test_a_hold_of_an_earlier_boot_or_past_its_lease_is_not_alive(net: Host) -> None:
    hold = net.state / "hold.json"
    net.converge(pseudo(SOMAXCONN, "1234"))
    held = json.loads(hold.read_text())
    for dead in (
        {**held, "boot_id": "earlier"},
        {**held, "lease_s": 0.5, "seen": held["seen"] - 100},
    ):
        hold.write_text(json.dumps(dead))
        os.utime(hold, (0, 0))
        assert (
            net.ask({"program": "probe", "facts": False}, run="other").only("host")["busy"] is None
        )
    hold.write_text("{torn")
    assert net.probe().only("host")["busy"] is None


def test_two_at_once_are_one_after_the_other(net: Host) -> None:
    net.probe()
    with (net.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert net.converge(pseudo(SOMAXCONN, "1234")).error == "busy"
    assert net.converge(pseudo(SOMAXCONN, "1234")).outcomes == {SOMAXCONN: "changed"}


@pytest.mark.skipif(not ROOT, reason="gives root up")
def test_without_root_everything_that_needs_it_is_named_and_nothing_is_done(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.owner() == "root" and not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o011)
    own = tmp_path / "own"
    host = Host(
        tmp_path / "state",
        ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"),
        "/usr/bin/python3",
    )
    file = {
        "id": "own",
        "via": "file",
        "path": str(own),
        "form": "file",
        "want": {"type": "file", "bytes_b64": ""},
    }
    answer = host.converge(file, pseudo(SOMAXCONN, "1234"), pseudo("/proc/sys/vm/swappiness", "7"))
    assert answer.error == "need_root", answer
    assert SOMAXCONN in answer.end["error"]["message"]
    assert "/proc/sys/vm/swappiness" in answer.end["error"]["message"]
    assert not own.exists()
    assert not (host.state / "journal.jsonl").exists()
    assert host.probe().only("host")["root"] is False
    assert host.converge(file).outcomes == {"own": "changed"}


@pytest.mark.skipif(not ROOT, reason="mounts a small file system")
def test_a_full_disk_stops_before_the_first_change(tmp_path: Path) -> None:
    """The journal does not fit, so nothing is changed; the prior value is 2 MB, the room less."""
    small, big = tmp_path / "small", tmp_path / "big"
    small.mkdir()
    big.write_bytes(os.urandom(2 << 20))
    before = snapshot.tree(tmp_path)
    inner = f'mount -t tmpfs -o size=2m none {small} && exec "$@"'
    host = Host(small / "state", ("unshare", "-m", "sh", "-c", inner, "sh"))
    cell = {
        "id": "big",
        "via": "file",
        "path": str(big),
        "form": "file",
        "want": {"type": "file", "bytes_b64": "eA=="},
    }
    assert host.converge(cell).error == "disk_full"
    assert snapshot.tree(tmp_path) == before


def test_a_file_too_large_to_journal_is_not_changed(host: Host, tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(17 << 20)
    cell = {
        "id": "big",
        "via": "file",
        "path": str(big),
        "form": "file",
        "want": {"type": "file", "bytes_b64": "eA=="},
    }
    done = host.converge(cell)
    assert done.outcomes == {"big": "failed"}
    assert "too many" in done.results["big"]["why"]
    assert big.stat().st_size == 17 << 20
