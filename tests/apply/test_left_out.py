"""A bad board among several: the others go on, it is named with its reason, the exit code says so."""

import json
import socket
import subprocess
import threading
import time

import pytest

from runner.store.record import RunFolder
from tests.apply.machines import CONTENT, declaring, lab_of, starting
from tests.waiting import until
from tests.workers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def machine(tmp_path):
    with starting(tmp_path) as start:
        yield start


@pytest.fixture
def silent():
    """A port that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def take():
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()


def spec(wait="true"):
    return declaring("bad", wait, 2)


def manifest(cli):
    (path,) = cli.reports.glob("*/*/run.json")
    return json.loads(path.read_text())


def whole_blocks(found):
    by_block = {}
    for trial in found["trials"].values():
        key = (trial["repetition"], trial["host"])
        by_block.setdefault(key, set()).add(trial["treatment"]["way"])
    return [key for key, ways in by_block.items() if ways == {"one", "two"}]


def full_disk(board):
    state = board.folder / "state"
    state.mkdir()
    board.inside("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(state))
    board.inside("dd", "if=/dev/zero", f"of={state}/all", "bs=4k")


def test_whatever_is_wrong_with_a_board_the_others_measure(machine, silent, tmp_path):
    """Eight boards, of which two are good: all blocks are run, and each bad one has its reason."""
    names = ("good", "fine", "off", "nopython", "strange", "silent", "full", "shut", "readonly")
    boards = {name: machine(name) for name in names if name not in {"off", "silent"}}
    full_disk(boards["full"])
    boards["readonly"].inside("mount", "-o", "remount,ro", "/boot")
    (boards["shut"].folder / "authorized_keys").write_text("")
    good = boards["good"].entry(tmp_path)
    cli = lab_of(tmp_path, boards, nopython={"python": "/no/python3"})
    inventory = json.loads((tmp_path / "hosts.yaml").read_text())
    inventory["hosts"]["off"] = {**good, "port": free_port()}
    inventory["hosts"]["silent"] = {**good, "port": silent}
    inventory["groups"]["lab"]["hosts"] = list(names)
    (tmp_path / "hosts.yaml").write_text(json.dumps(inventory))
    known = tmp_path / "known_hosts"
    known.write_text("".join(
        # the key of another board: somebody else answers at this address
        f"[127.0.0.1]:{one.server.port} {boards['good' if name == 'strange' else name].server.host_key}\n"
        for name, one in boards.items()
    ))  # fmt: skip
    done = cli("apply", str(cli.spec(spec())), code=4)
    found = manifest(cli)
    assert found["state"] == "done", done.stderr
    wrong = {name: (one["when"], one["code"]) for name, one in found["left_out"].items()}
    assert wrong == {
        "off": ("probed", 4), "nopython": ("probed", 4), "strange": ("probed", 4),
        "silent": ("probed", 4), "shut": ("probed", 4), "full": ("probed", 2),
        "readonly": ("converged", 2),
    }  # fmt: skip
    # two blocks a board are 18 in all; those of the bad ones were run by the good ones
    assert len(whole_blocks(found)) == 18
    assert {board for _, board in whole_blocks(found)} == {"good", "fine"}
    moved = found["order"]["moved"]
    assert {one["from_board"] for one in moved} == set(wrong)
    assert len(moved) == 14
    recap = {
        line.split(" :")[0].strip(): line for line in done.stderr.splitlines() if " : ok=" in line
    }
    assert set(recap) == set(names)
    assert "unreachable=1  (probed: " in recap["off"]
    assert "nothing answers" in recap["off"]
    assert "failed=1" in recap["readonly"]
    assert "unreachable" not in recap["good"]
    assert "failed: left out: " in done.stderr
    (report,) = cli.reports.glob("*/*/artifacts/report.md")
    assert "`off` was left out, probed: " in report.read_text()
    for name in ("good", "fine", "readonly"):
        assert boards[name].inside("cat", CONTENT) == "", "as it was found"


def test_a_check_names_the_bad_board_and_previews_the_others(machine, tmp_path):
    boards = {"a": machine("a"), "b": machine("b")}
    cli = lab_of(tmp_path, boards, b={"port": free_port()})
    done = cli("apply", str(cli.spec(spec())), "--check", "--json", code=4)
    said = json.loads(done.stdout)
    assert said["hosts"]["a"]["changed"] == 1
    assert said["hosts"]["b"]["unreachable"] == 1
    assert said["left_out"]["b"].startswith("probed: nothing answers")


def test_where_every_board_is_bad_nothing_is_begun(machine, tmp_path):
    boards = {"a": machine("a"), "b": machine("b")}
    cli = lab_of(tmp_path, boards, a={"port": free_port()}, b={"port": free_port()})
    done = cli("apply", str(cli.spec(spec())), code=4)
    assert done.stderr.count("nothing answers") >= 2
    assert manifest(cli)["state"] == "failed"
    assert not manifest(cli).get("trials")


def test_a_requirement_that_one_board_lacks_leaves_that_board_out(machine, tmp_path):
    boards = {"a": machine("a"), "b": machine("b")}
    cli = lab_of(tmp_path, boards)
    asked = f"requires: {{boot_id: {{equals: {boards['a'].boot}}}}}\n"
    cli("apply", str(cli.spec(spec() + asked)), code=2)
    found = manifest(cli)
    assert set(found["left_out"]) == {"b"}
    assert found["left_out"]["b"]["when"] == "checked"
    assert {board for _, board in whole_blocks(found)} == {"a"}


def test_a_silent_board_costs_the_others_its_own_deadline_once(machine, silent, tmp_path):
    boards = {"a": machine("a"), "b": machine("b")}
    cli = lab_of(tmp_path, boards, b={"port": silent})
    began = time.monotonic()
    cli("apply", str(cli.spec(spec())), code=4)
    took = time.monotonic() - began
    cli = lab_of(tmp_path, {"a": boards["a"]})
    began = time.monotonic()
    cli("apply", str(cli.spec(spec())))
    alone = time.monotonic() - began
    assert took < 2 * alone + 10 + 5, "ssh waits 10 s for a first word; it had twice the blocks"


def gone(board):
    """End a board with all its processes: nothing answers any more."""
    board.stop()


def start_two(cli, wait="sleep 6"):
    """Start a run, and give it once both boards have a trial's events here."""
    process = cli.start("apply", str(cli.spec(spec(wait))))
    until(lambda: sum(p.stat().st_size > 0 for p in cli.reports.glob("*/*/events/*.jsonl")) == 2)
    return process


def test_attach_and_resume_go_on_without_a_board_that_is_gone(machine, tmp_path):
    """kill -9, and a board is switched off: its blocks are run elsewhere, the other is put back."""
    boards = {"a": machine("a"), "b": machine("b")}
    cli = lab_of(tmp_path, boards)
    process = start_two(cli)
    process.kill()
    process.communicate(timeout=30)
    gone(boards["b"])
    done = cli("attach", code=4)
    assert "not put back: b: nothing answers" in done.stderr
    assert boards["a"].inside("cat", CONTENT) == ""
    assert manifest(cli)["state"] == "failed"
    said = cli("status", "lab", code=4)
    assert "a: held by no run" in said.stdout
    assert "nothing answers" in said.stderr
    cli("apply", str(cli.spec(spec("sleep 6"))), "--resume", code=4)
    found = manifest(cli)
    assert found["left_out"]["b"]["when"] == "asked"
    on_a = [number for number, board in whole_blocks(found) if board == "a"]
    assert len(on_a) == 4, "its own two, and both of b"
    assert boards["a"].inside("cat", CONTENT) == ""


def test_status_says_what_runs_on_every_board_and_ctrl_c_puts_all_back(machine, tmp_path):
    boards = {"a": machine("a"), "b": machine("b")}
    cli = lab_of(tmp_path, boards)
    process = cli.start("apply", str(cli.spec(spec("sleep 30"))))
    until(lambda: sum(p.stat().st_size > 0 for p in cli.reports.glob("*/*/events/*.jsonl")) == 2)
    said = cli("status", "lab").stdout
    (run,) = cli.reports.glob("*/*")
    assert said.count(f"run {run.name} since") == 2
    assert said.count("running    trial ") == 2
    assert said.count("applied    file") + said.count("applied    files") >= 2, said
    subprocess.run(["kill", "-INT", str(process.pid)], check=True)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 99, err
    assert RunFolder.open(run).manifest.state == "interrupted"
    for one in boards.values():
        assert one.inside("cat", CONTENT) == ""
    assert cli("status", "lab").stdout.count("held by no run") == 2
