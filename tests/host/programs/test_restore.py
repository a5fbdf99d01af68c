"""Putting back from the journal alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.host.state import journal
from tests.host import snapshot
from tests.host.agent import Host, pseudo

if TYPE_CHECKING:
    from pathlib import Path

IP = "/proc/sys/net/ipv4"
SOMAXCONN = "/proc/sys/net/core/somaxconn"
FIN = f"{IP}/tcp_fin_timeout"


def write(host: Host, path: str, value: str) -> None:
    import subprocess

    subprocess.run([*host.prefix, "sh", "-c", f"echo '{value}' > {path}"], check=True)


def edit(host: Host, **changes: Any) -> None:
    """Change every line of the journal."""
    path = host.state / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(
        "".join(
            json.dumps({**line, **(changes if "cell" in line else {})}) + "\n" for line in lines
        )
    )


def test_with_nothing_journalled_nothing_is_done(net: Host) -> None:
    answer = net.restore()
    assert answer.outcomes == {}
    assert answer.end["ok"]


def test_the_oldest_prior_value_wins(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN])
    for want in ("100", "200", "300"):
        net.converge(pseudo(SOMAXCONN, want))
    assert net.restore().outcomes == {SOMAXCONN: "restored"}
    assert snapshot.keys(net, [SOMAXCONN]) == before


def test_two_names_of_one_address_are_one_thing(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN])
    net.converge({**pseudo(SOMAXCONN, "100"), "id": "a"})
    net.converge({**pseudo(SOMAXCONN, "200"), "id": "b"})
    assert net.restore().outcomes == {"a": "restored"}
    assert snapshot.keys(net, [SOMAXCONN]) == before


def test_twice_is_once(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "100"))
    net.restore()
    again = net.restore()
    assert again.outcomes == {}
    assert again.end["ok"]


def test_what_someone_put_back_already_is_ok(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN])[SOMAXCONN].strip()
    net.converge(pseudo(SOMAXCONN, "100"))
    write(net, SOMAXCONN, before)
    assert net.restore().outcomes == {SOMAXCONN: "ok"}
    assert not (net.state / "journal.jsonl").exists()


def test_what_someone_changed_since_is_left_and_stays_in_the_journal(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN, FIN])
    net.converge(pseudo(SOMAXCONN, "100"), pseudo(FIN, "30"))
    write(net, SOMAXCONN, "555")
    answer = net.restore()
    assert answer.outcomes == {FIN: "restored", SOMAXCONN: "drifted"}
    assert not answer.end["ok"]
    assert snapshot.keys(net, [SOMAXCONN, FIN]) == {SOMAXCONN: "555\n", FIN: before[FIN]}
    assert (net.state / "journal.jsonl").exists()
    assert net.restore().outcomes == {FIN: "ok", SOMAXCONN: "drifted"}
    assert net.restore(force=True).outcomes == {FIN: "ok", SOMAXCONN: "restored"}
    assert snapshot.keys(net, [SOMAXCONN, FIN]) == before
    assert not (net.state / "journal.jsonl").exists()


def test_runtime_values_are_skipped_after_a_reboot_and_files_are_not(
    net: Host, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    file = {
        "id": "f",
        "via": "file",
        "path": str(path),
        "form": "file",
        "runtime": False,
        "want": {"type": "file", "bytes_b64": ""},
    }
    net.converge(pseudo(SOMAXCONN, "100", runtime=True), file)
    edit(net, boot_id="earlier")
    answer = net.restore()
    assert answer.outcomes == {"f": "restored", SOMAXCONN: "skipped"}
    assert answer.results[SOMAXCONN]["why"] == "rebooted"
    assert answer.end["ok"]
    assert path.read_text() == "old"
    assert snapshot.keys(net, [SOMAXCONN]) == {SOMAXCONN: "100\n"}


def test_a_file_that_someone_changed_after_a_reboot_is_left(net: Host, tmp_path: Path) -> None:
    """The boot takes kernel values, not what somebody has written since."""
    path = tmp_path / "file"
    path.write_text("before")
    want = {"type": "file", "bytes_b64": "YWZ0ZXI="}
    net.converge({"id": "f", "via": "file", "path": str(path), "form": "file", "want": want,
                  "runtime": False})  # fmt: skip
    edit(net, boot_id="another")
    path.write_text("theirs")
    assert net.restore().outcomes == {"f": "drifted"}
    assert path.read_text() == "theirs"
    assert net.restore(force=True).outcomes == {"f": "restored"}
    assert path.read_text() == "before"


def test_a_torn_last_line_is_a_change_never_begun(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "100"))
    path = net.state / "journal.jsonl"
    with path.open("a") as file:
        file.write('{"n":2,"run":"r1","cell":{"id"')
    assert net.probe().only("host")["journal"]["entries"] == 1
    net.converge(pseudo(FIN, "30"))
    assert net.restore().outcomes == {FIN: "restored", SOMAXCONN: "restored"}


def test_zeros_after_whole_lines_are_what_a_power_cut_leaves(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "100"))
    path = net.state / "journal.jsonl"
    with path.open("ab") as file:
        file.write(bytes(700))
    assert net.probe().only("host")["journal"]["entries"] == 1
    net.converge(pseudo(FIN, "30"))
    assert net.restore().outcomes == {FIN: "restored", SOMAXCONN: "restored"}


def test_a_journal_of_zeros_alone_is_damaged(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "100"))
    path = net.state / "journal.jsonl"
    path.write_bytes(bytes(len(path.read_bytes())))
    answer = net.restore()
    assert answer.outcomes == {"journal:line 1": "failed"}
    assert path.exists()


def test_a_damaged_line_is_said_and_the_rest_is_put_back(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN, FIN])
    net.converge(pseudo(SOMAXCONN, "100"))
    path = net.state / "journal.jsonl"
    path.write_text(path.read_text() + "\0\0\0\n")
    net.converge(pseudo(FIN, "30"))
    path.write_text("#" + path.read_text())
    answer = net.restore()
    assert (
        answer.outcomes == {FIN: "restored", "journal:line 1": "failed", SOMAXCONN: "failed"}
        or answer.outcomes["journal:line 1"] == "failed"
    )
    assert answer.outcomes[FIN] == "restored"
    assert not answer.end["ok"]
    assert path.exists()
    assert snapshot.keys(net, [FIN])[FIN] == before[FIN]


def test_a_value_that_cannot_be_put_back_keeps_the_journal(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "100"))
    edit(net, prior="no number")
    answer = net.restore()
    assert answer.outcomes == {SOMAXCONN: "failed"}
    assert "EINVAL" in answer.results[SOMAXCONN]["why"]
    assert (net.state / "journal.jsonl").exists()


def test_old_journals_are_kept_but_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for _ in range(25):
        path.write_text("")
        journal.retire(str(path))
    assert len(list((tmp_path / "journal.done").iterdir())) == 20
    assert not path.exists()


def test_the_restored_host_is_free(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "100"))
    assert net.probe().only("host")["busy"]["run"] == net.run
    net.restore()
    assert net.probe().only("host")["busy"] is None


KEPT = {"controller": "test", "lease_s": None, "kept": True}


def test_what_was_declared_to_stay_outlasts_the_runs_after_it(net: Host) -> None:
    """`--keep`, then experiments on top of it, then `runner restore`."""
    before = snapshot.keys(net, [SOMAXCONN, FIN])
    state = [pseudo(SOMAXCONN, "1234"), pseudo(FIN, "31")]
    base = {"program": "converge", "cells": state, "hold": KEPT}
    assert set(net.ask(base, run="base").outcomes.values()) == {"changed"}
    kept = snapshot.keys(net, [SOMAXCONN, FIN])
    for value in ("2000", "3000"):
        net.converge(pseudo(SOMAXCONN, value))
        assert net.restore(leave_kept=True).outcomes == {SOMAXCONN: "restored"}
        assert snapshot.keys(net, [SOMAXCONN, FIN]) == kept
    assert [e["run"] for e in net.ask({"program": "status"}).events if e["event"] == "applied"] == [
        "base", "base",
    ]  # fmt: skip
    # its own end is not a restore of it, and asking for it is
    assert net.restore(leave_kept=True).outcomes == {}
    assert set(net.restore().outcomes.values()) == {"restored"}
    assert snapshot.keys(net, [SOMAXCONN, FIN]) == before
    assert not net.state.joinpath("journal.jsonl").exists()


def test_what_a_dead_run_left_is_undone_beside_what_stays(net: Host) -> None:
    """Nobody declared that to stay; numbers of changes that are done are not used again."""
    before = snapshot.keys(net, [SOMAXCONN, FIN])
    base = {"program": "converge", "cells": [pseudo(SOMAXCONN, "1234")], "hold": KEPT}
    net.ask(base, run="base")
    dead = {
        "program": "converge",
        "cells": [pseudo(FIN, "31")],
        "hold": KEPT | {"kept": False, "lease_s": 0},
    }
    net.ask(dead, run="dead")
    net.converge(pseudo(SOMAXCONN, "2000"))
    done = net.restore(leave_kept=True).outcomes
    assert done.pop(SOMAXCONN) == "restored"
    assert done in ({FIN: "restored"}, {})  # its lease may have run out before, and undone it
    net.converge(pseudo(FIN, "32"))
    assert (
        len({change.n for change in journal.read(str(net.state.joinpath("journal.jsonl"))).changes})
        == 2
    )
    net.restore(leave_kept=True)
    net.restore()
    assert snapshot.keys(net, [SOMAXCONN, FIN]) == before
