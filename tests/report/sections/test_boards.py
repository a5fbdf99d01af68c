"""The table of boards: what differs between them first; their spread; those that died."""

import re

from runner.analysis.model import Analysis, Estimate, Repetition, Step, Trial
from runner.records.manifest import manifest_of
from runner.report.pages.render import render
from runner.report.sections import boards
from runner.spec.experiment import Experiment

FACTS = {
    "a": {"board.model": "Raspberry Pi 4", "board.revision": "1.2", "kernel.release": "6.1"},
    "b": {"board.model": "Raspberry Pi 4", "board.revision": "1.5", "kernel.release": "6.1"},
}
DIED = {
    "board": "b", "at": 1_795_000_000.0, "why": "b: link lost", "argv": ["switch", "2"],
    "boot_before": "1111111122222222", "boot_after": "3333333344444444", "restored": 2,
}  # fmt: skip


def manifest(**more):
    trials = {
        f"t-r{n}-a1": {"host": host, "treatment": {}, "repetition": n, "attempt": 1}
        for n, host in ((1, "a"), (2, "b"), (3, "a"))
    }
    return manifest_of({"schema": "run/2", "id": "r", "experiment": "e", "trials": trials, **more})


def analysis():
    def trial(number, host, heat):
        step = Step(0, "s", None, 0, 1, "healthy", numbers={"board.temperature": heat,
                    "board.frequency.median": 1.5e9, "board.throttled.gained": 4 * (host == "b")})  # fmt: skip
        return Trial(f"t-r{number}-a1", host, {}, number, 1, "healthy", "", float(number), (step,))

    of = (Repetition(1, "a"), Repetition(2, "b"), Repetition(3, "a"))
    found = Estimate("x", "s", {}, None, (1.0, 2.0, 1.2), 3, 1.2, None, None, repetitions=of)
    return Analysis((trial(1, "a", 50.0), trial(2, "b", 81.5), trial(3, "a", 52.0)), (found,))


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_what_differs_stands_first():
    head, _, a, b = boards.table(manifest(), FACTS, analysis()).splitlines()
    assert cells(head) == ["board", "revision", "hottest", "throttled", "model", "kernel",
                           "clock in trials", "blocks", "trials"]  # fmt: skip
    assert cells(a)[1:4] == ["1.2", "52.0 °C", "no"]
    assert cells(b)[1:4] == ["1.5", "81.5 °C", "yes"]
    assert cells(a)[-2:] == ["2", "2"]


def test_one_board_has_no_table():
    alone = manifest_of({"schema": "run/2", "id": "r", "experiment": "e", "trials": {
        "t": {"host": "a", "treatment": {}, "repetition": 1, "attempt": 1}}})  # fmt: skip
    assert boards.table(alone, FACTS, analysis()) is None


def test_every_metric_is_split_by_board_with_the_spread_of_both_levels():
    head, _, row = boards.spreads(analysis()).splitlines()
    assert cells(head)[-4:] == ["a", "b", "between boards", "within a board"]
    assert cells(row)[2].endswith("(2)")
    assert cells(row)[3].endswith("(1)")
    assert re.match(r"\d+.*\[.*, .*\]", cells(row)[-1])


def test_deaths_and_moves_are_told():
    moved = {
        "moved": [{"block": 2, "number": 9, "from_board": "b", "to_board": "a", "why": "gone"}]
    }
    found = manifest(power=[DIED, {**DIED, "failed": "exit 1"}], order=moved)
    page = render(found, Experiment(name="e"), FACTS, [], analysis()).markdown
    assert "## Boards" in page
    assert "Switched off and on by `switch 2`. It came back in another boot" in page
    assert "2 values put back from its journal" in page
    assert "It was not brought back: exit 1" in page
    assert "Block 2 of `b` was run on `a` as 9: gone" in page
