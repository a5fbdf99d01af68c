"""Several boards at once: every block on one board, every trial exactly once, a dead one replaced."""

import itertools
import json
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from runner.apply.boards.fleet import Boards
from runner.errors import HostError, HostRebooted, HostUnreachable, TrialError
from runner.store.record import RunFolder
from tests.apply.conftest import ROOT
from tests.sshd import start_sshd, stop_sshd
from tests.waiting import until


@pytest.fixture
def lab(tmp_path, sshd, tmp_path_factory):
    """Two boards: this machine behind two sshd of its own."""
    other = start_sshd(tmp_path_factory.mktemp("other"))
    hosts = {}
    known = tmp_path / "known_hosts"
    lines = []
    for name, server in (("a", sshd), ("b", other)):
        options = server.options(tmp_path)
        lines.append(f"[127.0.0.1]:{options.port} {server.host_key}\n")
        hosts[name] = {"address": options.host, "port": options.port, "user": options.user,
                       "key": str(options.key), "python": sys.executable}  # fmt: skip
    known.write_text("".join(lines))
    (tmp_path / "hosts.yaml").write_text(
        json.dumps({"hosts": hosts, "groups": {"lab": {"hosts": ["a", "b"]}}})
    )
    lab = Lab(tmp_path, known, other)
    yield lab
    stop_sshd(other)


class Lab:
    def __init__(self, folder, known, other):
        self.folder, self.known, self.other = folder, known, other

    def argv(self, spec, *more):
        file = self.folder / "exp.yaml"
        file.write_text(spec)
        return [sys.executable, "-m", "runner", "apply", str(file), "-i", str(self.folder / "hosts.yaml"),
                "--known-hosts", str(self.known), "--ssh-config", str(self.folder / "ssh_config"),
                "--state-dir", str(self.folder / "state"), "--reports", str(self.folder / "reports"),
                *more]  # fmt: skip

    def start(self, spec, *more):
        return subprocess.Popen(
            self.argv(spec, *more), cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=default_interrupt,  # noqa: PLW1509
        )  # fmt: skip

    def run(self, spec, *more, code=0):
        with self.start(spec, *more) as process:
            out, err = process.communicate(timeout=110)
        assert process.returncode == code, err + out
        assert "Traceback" not in err
        return out, err

    def manifest(self):
        (path,) = (self.folder / "reports").glob("*/*/run.json")
        return json.loads(path.read_text())


def measured_on(run):
    """Hosts of the trials that a run has planned so far."""
    return {trial.host for trial in RunFolder.open(run).manifest.trials.values()}


def default_interrupt():
    signal.signal(signal.SIGINT, signal.default_int_handler)


SPEC = """\
schema: experiment/1
name: boards
hosts: {server: SERVERS}
workload: {argv: [sh, -c, "WAIT; echo '{\\"x\\": 1}'"], run: once}
factors: {way: [one, two]}
repeat: REPEAT
metrics: {x: {from: stdout.json.x}}
"""


def spec(servers="[a, b]", repeat="4", wait="true"):
    return SPEC.replace("SERVERS", servers).replace("REPEAT", repeat).replace("WAIT", wait)


def blocks(manifest):
    """The board of each repetition, with the trials that it had."""
    found = {}
    for trial in manifest["trials"].values():
        found.setdefault((trial["repetition"], trial["host"]), []).append(trial["treatment"]["way"])
    return found


@pytest.mark.parametrize("servers", ["[a, b]", "lab"])
def test_four_blocks_in_all_are_two_on_each_board(lab, servers):
    out, _ = lab.run(spec(servers), "--json")
    said = json.loads(out)
    assert [trial["outcome"] for trial in said["trials"]] == ["healthy"] * 8
    found = blocks(lab.manifest())
    assert sorted(Counter(board for _, board in found).items()) == [("a", 2), ("b", 2)]
    assert all(sorted(ways) == ["one", "two"] for ways in found.values())
    order = lab.manifest()["order"]
    assert dict(found.keys()) == {int(n): b for n, b in order["boards"].items()}


def test_per_board_counts_on_each(lab):
    lab.run(spec(repeat="{per_board: 3}"))
    assert Counter(board for _, board in blocks(lab.manifest())) == {"a": 3, "b": 3}


def test_boards_run_at_once_and_one_trial_at_a_time_on_each(lab):
    lab.run(spec(wait="sleep 1"))
    spans = {}
    (reports,) = (lab.folder / "reports").glob("*/*")
    analysis = json.loads((reports / "artifacts" / "analysis.json").read_text())
    for trial in analysis["trials"]:
        start = trial["started_at"]
        spans.setdefault(trial["host"], []).append(
            (start, start + max(s["end_s"] for s in trial["steps"]))
        )
    for own in spans.values():
        own.sort()
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(own))
    a, b = spans["a"], spans["b"]
    assert any(s < t_end and t < end for s, end in a for t, t_end in b)


@pytest.mark.slow
def test_a_board_that_dies_costs_its_block_and_not_the_run(lab):
    process = lab.start(spec(repeat="6", wait="sleep 1"))
    reports = lab.folder / "reports"

    def measured_on_b():
        return any("b" in measured_on(path.parent) for path in reports.glob("*/*/run.json"))

    until(measured_on_b)
    kill_with_sessions(lab.other)
    out, err = process.communicate(timeout=110)
    assert process.returncode != 0  # b is left as it was found by nobody
    assert "Traceback" not in err
    manifest = lab.manifest()
    moved = manifest["order"]["moved"]
    assert moved
    assert {(one["from_board"], one["to_board"]) for one in moved} == {("b", "a")}
    whole = [key for key, ways in blocks(manifest).items() if sorted(set(ways)) == ["one", "two"]]
    assert len(whole) >= 6, (out, err)


def test_blocks_that_some_board_would_never_see_are_refused(lab):
    _, err = lab.run(spec(repeat="1"), code=3)
    assert "1 block(s) for 2 boards" in err


def test_both_counts_are_refused(lab):
    _, err = lab.run(spec(repeat="{per_board: 2, between: [2, 4]}"), code=3)
    assert "give one" in err


def test_ctrl_c_stops_every_board_and_puts_them_back(lab):
    process = lab.start(spec(repeat="4", wait="sleep 30"))
    reports = lab.folder / "reports"
    until(lambda: any(len(measured_on(path.parent)) == 2 for path in reports.glob("*/*/run.json")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 99, err
    assert lab.manifest()["state"] == "interrupted"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_controller_leaves_all_boards_to_attach_and_resume(lab):
    """kill -9, then both trials are followed to their end, both boards put back, the rest run."""
    text = spec(repeat="4", wait="sleep 6")
    process = lab.start(text)
    reports = lab.folder / "reports"
    until(lambda: sum(p.stat().st_size > 0 for p in reports.glob("*/*/events/*.jsonl")) == 2)
    process.kill()
    process.communicate(timeout=30)
    (run,) = reports.glob("*/*")
    before = dict(RunFolder.open(run).manifest.order.boards)
    words = ["-i", str(lab.folder / "hosts.yaml"), "--known-hosts", str(lab.known),
             "--ssh-config", str(lab.folder / "ssh_config"),
             "--state-dir", str(lab.folder / "state")]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "runner", "attach", "--reports", str(reports), *words],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert {trial["host"] for trial in lab.manifest()["trials"].values()} == {"a", "b"}
    said = subprocess.run(
        [sys.executable, "-m", "runner", "status", "lab", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    ).stdout  # fmt: skip
    assert said.count("held by no run") == 2
    lab.run(text, "--resume")
    found = lab.manifest()
    assert found["order"]["boards"] == before
    trials = [(t["repetition"], t["treatment"]["way"]) for t in found["trials"].values()]
    assert len(trials) == len(set(trials)) == 8, "every trial once, those that were followed too"
    analysis = json.loads((run / "artifacts" / "analysis.json").read_text())
    assert [trial["outcome"] for trial in analysis["trials"]] == ["healthy"] * 8
    assert found["state"] == "done"


def kill_with_sessions(server):
    """End an sshd with all the connections that it has, as a board that loses its power."""
    children = subprocess.run(
        ["pgrep", "-P", str(server.process.pid)], text=True, capture_output=True, check=False
    ).stdout.split()
    server.process.kill()
    server.process.wait(10)
    for child in children:
        subprocess.run(["kill", "-9", child], check=False)


class Board:
    """What Boards uses of a TrialRunner."""

    def __init__(self, name):
        self.name, self.current, self.folder, self.done = name, "", None, []


def gone(runner, died):
    return "nobody says how it is switched on"


def fleet(block, boards=("a", "b", "c"), revive=gone):
    runners = {name: Board(name) for name in boards}
    numbers = itertools.count(101)
    moves = []
    made = Boards(
        runners, block, threading.Event(), lambda _: next(numbers),
        lambda *move: moves.append(move), revive,
    )  # fmt: skip
    return made, runners, moves


def test_blocks_of_a_dead_board_are_run_by_the_others():
    def block(board, number):
        if board.name == "b":
            raise HostUnreachable("b: gone")
        board.done.append(number)

    made, runners, moves = fleet(block)
    made.run({1: "a", 2: "b", 3: "c", 4: "b"})
    assert made.dead == {"b": "b: gone; nobody says how it is switched on"}
    assert [(old, source) for old, _, source, _, _ in moves] == [(2, "b"), (4, "b")]
    assert sorted(runners["a"].done + runners["c"].done) == [1, 3, 101, 102]
    made.run({5: "b"})  # a later block of it, too
    assert sorted(runners["a"].done + runners["c"].done) == [1, 3, 101, 102, 103]


def test_without_any_board_the_run_ends_and_says_why():
    def block(board, number):
        raise HostUnreachable(f"{board.name}: gone")

    made, _, _ = fleet(block, ("a", "b"))
    with pytest.raises(
        HostUnreachable, match=r"no board is left: (a|b): gone; nobody .*; (a|b): gone"
    ):
        made.run({1: "a", 2: "b"})


def test_a_board_that_cannot_do_what_is_asked_gives_its_blocks_to_the_others():
    """A full disk in the middle of a run is that board's, and is no reason to switch it off."""
    revived = []

    def block(board, number):
        if board.name == "b":
            raise HostError("b: no space left on device")
        board.done.append(number)

    made, runners, moves = fleet(block, ("a", "b"), lambda *asked: revived.append(asked) or "")
    told = []
    made.died = lambda name, fault: told.append((name, fault.message))
    made.run({1: "a", 2: "b", 3: "b"})
    assert sorted(runners["a"].done) == [1, 101, 102]
    assert told == [("b", "b: no space left on device")]
    assert revived == []
    assert [(old, to) for old, _, _, to, _ in moves] == [(2, "a"), (3, "a")]


def test_what_no_board_can_do_is_no_link_that_is_lost():
    def block(board, number):
        raise HostError(f"{board.name}: no space left on device")

    made, _, _ = fleet(block, ("a", "b"))
    with pytest.raises(HostError, match="no board is left") as caught:
        made.run({1: "a", 2: "b"})
    assert caught.value.exit_code == 2


def test_blocks_of_a_board_that_was_left_out_are_the_others_from_the_start():
    made, runners, moves = fleet(lambda board, number: board.done.append(number), ("a", "c"))
    made.dead["b"] = "probed: nothing answers"
    made.run({1: "a", 2: "b", 3: "c", 4: "b"})
    assert sorted(runners["a"].done + runners["c"].done) == [1, 3, 101, 102]
    assert {why for *_, why in moves} == {"probed: nothing answers"}


def test_a_fault_that_is_not_a_boards_ends_all():
    begun = threading.Event()

    def block(board, number):
        if board.name == "a":
            begun.wait(10)
            raise TrialError("wrong")
        begun.set()
        made.stop.wait(10)
        assert made.stop.is_set()

    made, _, moves = fleet(block, ("a", "b"))
    with pytest.raises(TrialError, match="wrong"):
        made.run({1: "a", 2: "b", 3: "b"})
    assert moves == []


def test_a_board_that_comes_back_runs_its_block_anew_under_another_number():
    died = []

    def block(board, number):
        if board.name == "b" and not died:
            died.append(number)
            raise HostRebooted("b: was started anew")
        board.done.append(number)

    made, runners, moves = fleet(block, ("a", "b"), lambda runner, died: "")
    made.run({1: "a", 2: "b", 3: "b"})
    assert runners["b"].done == [101, 3]
    assert moves == [(2, 101, "b", "b", "b: was started anew")]
    assert made.dead == {}
