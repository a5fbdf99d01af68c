"""`plan`: what would change, how long, and whether the repetitions can decide."""

import json

import pytest

from tests.cli.command import SECOND, SPEC, changed, runner

STATE = """\
schema: experiment/1
name: state
hosts: {server: local}
system:
  sysctl: {vm.swappiness: %d}
  files: {%s: {content: "a\\n", mode: "0640"}}
"""


def plan(*words, code=0, **options):
    return json.loads(runner("plan", *words, "--offline", "--json", code=code, **options).stdout)


def test_what_would_change_is_said_and_nothing_is_changed(tmp_path):
    made = tmp_path / "made.txt"
    spec = tmp_path / "state.yaml"
    spec.write_text(STATE % (37, made))
    done = runner("plan", spec, "--diff", "--state-dir", tmp_path / "state")
    assert "sysctl:vm.swappiness: would change" in done.stdout
    assert "→ 37" in done.stdout
    assert "+a" in done.stdout
    assert not made.exists()


def test_duration_counts_steps_treatments_and_repetitions():
    said = plan(SPEC)["duration"]
    assert said["treatments"] == 2
    assert said["trials"] == [12, 12]
    examples = SPEC.parents[2] / "specfile" / "examples"
    searched = plan(examples / "capacity.yaml")["duration"]
    low, high = searched["searched"]
    assert 5 < low < high <= 60
    assert searched["trials"] == [6 * low, 15 * high]


def test_the_newest_run_is_the_pilot():
    said = plan(SPEC)
    assert said["pilot"] == SECOND
    by_id = {one["id"]: one for one in said["claims"]}
    assert by_id["2"]["towards"] == "reproduced"
    assert by_id["2"]["chance"][0] > 0.99
    assert by_id["3"]["towards"] == "contradicted"
    assert "4" not in by_id
    assert by_id["1"]["towards"] == "reproduced"
    assert by_id["1"]["basis"].startswith("pilot: it held in 6 of 6 blocks")
    assert 0.6 < by_id["1"]["chance"][0] < 0.8
    assert by_id["1"]["needed"] > 6


def test_a_stated_spread_and_no_pilot(tmp_path):
    said = plan(SPEC, "--spread", "1%", reports=tmp_path)
    two = next(one for one in said["claims"] if one["id"] == "2")
    assert said["pilot"] is None
    assert two["chance"][0] > 0.99
    assert not two["warning"]
    one = next(one for one in said["claims"] if one["id"] == "1")
    assert "6 blocks do so with a chance of 80% where the two sides are 2." in one["basis"]


def test_a_margin_that_is_too_tight_is_named(tmp_path):
    spec = changed(tmp_path, "{relative: 20%, why: rough}}\n", "{relative: 1%, why: tight}}\n")
    two = next(c for c in plan(spec, "--spread", "10%")["claims"] if c["id"] == "2")
    assert "margin is too tight" in two["warning"]
    assert "MiB" in two["warning"]


def test_too_few_repetitions_are_named(tmp_path):
    said = plan(changed(tmp_path, "repeat: 6", "repeat: 3"), "--spread", "1%")
    warnings = {one["id"]: one["warning"] for one in said["claims"]}
    assert "at least 5 are needed" in warnings["1"]
    assert "at least 5 are needed" in warnings["2"]


def test_the_programs_that_would_be_sent(tmp_path):
    said = json.loads(runner("plan", SPEC, "--program", "--state-dir", tmp_path).stdout)
    assert set(said[0]["trials"]) == {"10", "20"}
    assert said[0]["trials"]["20"]["workload"]["argv"][0] == "python3"


def test_of_a_program_that_ends_only_the_rest_is_planned(tmp_path):
    """36 s were planned where 7.5 s were real: its own time is said to be unknown."""
    file = tmp_path / "once.yaml"
    file.write_text(
        "schema: experiment/1\nname: once\nworkload: {argv: ['true'], run: once}\nrepeat: 24\n"
        "metrics: {wall: {from: workload.wall}}\n"
    )
    said = runner("plan", file, "--offline").stdout
    assert "duration: at least 7 s: 1 treatment(s) × 24 repetition(s) = 24 trial(s)" in said
    assert "beside what the program takes, builds" in said


def test_an_unreachable_host_does_not_hide_the_rest(tmp_path):
    done = runner("plan", SPEC, "-H", "no-such-host.invalid", code=4)
    assert "duration:" in done.stdout
    assert "error:" in done.stderr


@pytest.mark.parametrize("spread", ["-1%", "many", "5 MiB"])
def test_a_spread_that_is_none(spread):
    runner("plan", SPEC, "--offline", f"--spread={spread}", code=3)
