"""A board that dies is switched off and on, put back, and its block is run again there."""

import json
import sys

import pytest

from runner.store.record import RunFolder
from tests.apply.machines import CONTENT, declaring, lab_of, starting
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SPEC = declaring("power", f"cat {CONTENT}; sleep 1", 3)


@pytest.fixture
def machines(tmp_path):
    with starting(tmp_path) as start:
        yield {name: start(name) for name in ("a", "b")}


def touching(machine, *, also=""):
    """The command of a switch: the board boots anew."""
    code = f"open({str(machine.folder / 'asked')!r}, 'w'); {also}"
    return {"power": {"cycle": [sys.executable, "-c", code], "times": 1, "within": "30s"}}


def manifest(cli):
    (path,) = cli.reports.glob("*/*/run.json")
    return json.loads(path.read_text())


def begun(cli, board):
    """Whether a trial of a board has been begun that is not its first."""
    return any(
        sum(t.host == board for t in RunFolder.open(path.parent).manifest.trials.values()) > 1
        for path in cli.reports.glob("*/*/run.json")
    )


def finished(process, code):
    out, err = process.communicate(timeout=200)
    assert process.returncode == code, out + err
    assert "Traceback" not in err
    return out, err


def whole_blocks(found):
    by_block = {}
    for trial in found["trials"].values():
        by_block.setdefault((trial["repetition"], trial["host"]), set()).add(
            trial["treatment"]["way"]
        )
    return [key for key, ways in by_block.items() if ways == {"one", "two"}]


def test_a_board_that_hangs_is_switched_off_and_on_and_its_block_run_there_again(
    machines, tmp_path
):
    cli = lab_of(tmp_path, machines, b=touching(machines["b"]))
    first = machines["b"].boot
    process = cli.start("apply", str(cli.spec(SPEC)))
    until(lambda: begun(cli, "b"))
    machines["b"].hang()
    _, err = finished(process, 0)
    found = manifest(cli)
    (done,) = found["power"]
    assert (done["board"], done["boot_before"], done["failed"]) == ("b", first, "")
    assert done["boot_after"] == machines["b"].boot != first
    assert done["restored"] == 1, "the file that was declared, from the journal of the boot before"
    (move,) = found["order"]["moved"]
    assert (move["from_board"], move["to_board"]) == ("b", "b")
    whole = whole_blocks(found)
    assert sum(board == "b" for number, board in whole if number != move["block"]) == 3
    boots = {(t["host"], t["boot"]) for t in found["trials"].values()}
    assert len(boots) == 3, "a, and both boots of b"
    for one in machines.values():
        assert one.inside("cat", CONTENT) == "", "every board is as it was found"
    (report,) = cli.reports.glob("*/*/artifacts/report.md")
    said = report.read_text()
    assert "Switched off and on by" in said
    assert "was run there again" in said
    assert "gone; switched off and on" in err


def test_a_board_that_boots_by_itself_is_brought_up_again_without_the_switch(machines, tmp_path):
    cli = lab_of(tmp_path, machines)
    process = cli.start("apply", str(cli.spec(SPEC)))
    until(lambda: begun(cli, "b"))
    machines["b"].reboot()
    finished(process, 0)
    found = manifest(cli)
    (done,) = found["power"]
    assert done["argv"] == []
    assert done["boot_before"] != done["boot_after"] == machines["b"].boot
    (report,) = cli.reports.glob("*/*/artifacts/report.md")
    assert "It came back in another boot" in report.read_text()


def test_one_board_alone_too(machines, tmp_path):
    cli = lab_of(tmp_path, machines, b=touching(machines["b"]))
    process = cli.start("apply", str(cli.spec(SPEC)), "--limit", "b")
    until(lambda: begun(cli, "b"))
    machines["b"].hang()
    finished(process, 0)
    assert [one["failed"] for one in manifest(cli)["power"]] == [""]


def test_a_switch_that_does_nothing_sends_the_block_elsewhere(machines, tmp_path):
    failing = {"power": {"cycle": ["false"]}}
    cli = lab_of(tmp_path, machines, b=failing)
    process = cli.start("apply", str(cli.spec(SPEC)))
    until(lambda: begun(cli, "b"))
    machines["b"].hang()
    finished(process, 4)
    found = manifest(cli)
    assert ["exit 1" in one["failed"] for one in found["power"]] == [True]
    assert {m["to_board"] for m in found["order"]["moved"]} == {"a"}
    (report,) = cli.reports.glob("*/*/artifacts/report.md")
    assert "It was not brought back" in report.read_text()


def test_plan_lists_the_command_and_an_inventory_that_was_only_found_may_not_run_it(
    machines, tmp_path
):
    cli = lab_of(tmp_path, machines, b={"power": {"cycle": ["switch-off-and-on", "2"]}})
    spec = cli.spec(SPEC)
    said = cli("plan", str(spec)).stdout
    assert (
        "would run here: switch-off-and-on 2 (power of b, where it is gone; 2 times a run)" in said
    )
    cli.words = cli.words[2:]  # without -i: hosts.yaml beside the spec is found
    assert "read it (`runner plan`), then name it" in cli("apply", str(spec), code=3).stderr
