"""Load from hosts other than the server's: a common start, shares, and numbers merged."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from runner.store.record import RunFolder
from tests.apply.conftest import Cli, needs_root_and_memory_group
from tests.apply.specs import SERVER

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def three(tmp_path, sshd) -> Cli:
    """One machine under three names: a server and two load hosts, each with links of its own."""
    needs_root_and_memory_group()
    options = sshd.options(tmp_path)
    host = {"address": options.host, "port": options.port, "user": options.user,
            "key": str(options.key), "python": sys.executable}  # fmt: skip
    hosts = {"hosts": {**dict.fromkeys(("board", "left", "right"), host),
                       "one": {**host, "load": "left"}, "two": {**host, "load": "right"}}}  # fmt: skip
    (tmp_path / "hosts.yaml").write_text(json.dumps(hosts))
    return Cli(
        tmp_path,
        ["-i", str(tmp_path / "hosts.yaml"), "--known-hosts", str(options.known_hosts),
         "--ssh-config", str(options.ssh_config), "--state-dir", str(tmp_path / "state")],
    )  # fmt: skip


URL = "http://{server_address}:{port}/"


def spec(generator: str, how: str = "good", *, url: str = URL, more: str = "") -> str:
    return f"""\
schema: experiment/1
name: two-load-hosts
hosts: {{server: board, load: [left, right]}}
workload:
  argv: [{json.dumps(sys.executable)}, {json.dumps(str(SERVER))}, {how}, "{{port}}"]
  ready: {{http: "http://127.0.0.1:{{port}}/"}}
{more}
load:
  generator: {generator}
  url: "{url}"
  threads: 1
  timeout: 1s
  warmup: 1s
  steps: [{{connections: 5, duration: 2s}}, {{connections: 8, duration: 1s}}]
healthy: [load.error_ratio <= 0.01, load.established == load.connections]
"""


@pytest.mark.parametrize("generator", ["h2load", "wrk"])
def test_two_load_hosts_are_one_load(three, generator, unchanged):
    found = three.apply(three.spec(spec(generator)))
    (trial,) = found["trials"]
    assert trial["outcome"] == "healthy", trial
    events = Path(found["report"]).parents[1] / "events"
    names = sorted(path.name.split(".jsonl")[0] for path in events.iterdir())
    assert names == ["all-r1-a1", "all-r1-a1.left", "all-r1-a1.right"]
    for step in trial["steps"]:
        numbers = step["numbers"]
        assert numbers["load.hosts"] == 2
        assert numbers["load.opened"] == numbers["load.established"] == step["connections"]
        assert numbers["load.requests"] > 0
        if generator == "h2load":
            assert 0 < numbers["load.latency_raw_p50"] <= numbers["load.latency_raw_p99"]
        else:
            assert numbers["load.latency_p99"] is None
            assert numbers["load.latency_max"] > 0


def test_an_open_model_from_two_hosts(three, unchanged):
    """Each sends half of the rate, with a program that was brought to it; the sum is one load."""
    steps = "steps: [{connections: 5, duration: 2s}, {connections: 8, duration: 1s}]"
    text = spec("vegeta").replace(steps, "steps: [{rate: 60/s, duration: 2s}]")
    text = text.replace("load.established == load.connections", "load.dropped == 0")
    found = three.apply(three.spec(text))
    (step,) = found["trials"][0]["steps"]
    numbers = step["numbers"]
    assert step["outcome"] == "healthy"
    assert (numbers["load.hosts"], numbers["load.rate"]) == (2, 60)
    assert numbers["load.planned"] == numbers["load.requests"] == 120
    assert 0 < numbers["load.latency_p50"] <= numbers["load.latency_p99"]
    assert numbers["load.littles_law"] is None
    (made,) = json.loads((Path(found["report"]).parents[1] / "run.json").read_text())[
        "generators"
    ].values()
    assert made["toolchain"] == "1.22.10"


def test_a_shape_and_a_file_are_shared_by_two_hosts(three, unchanged):
    """Each sends half of the ramp's height and every second time; what both sent is one series."""
    (three.folder / "times.txt").write_text("0.1\n0.2\n0.3\n0.4\n0.5\n")
    steps = "steps: [{connections: 5, duration: 2s}, {connections: 8, duration: 1s}]"
    shaped = (
        "steps: [{ramp: [20/s, 100/s], duration: 1s, warmup: 1s},"
        " {arrivals: times.txt, duration: 1s, warmup: 0s}]"
    )
    text = spec("vegeta").replace(steps, shaped).replace("  warmup: 1s\n", "")
    text = text.replace("load.established == load.connections", "load.dropped == 0")
    found = three.apply(three.spec(text), code=None)
    folder = Path(found["report"]).parents[1]
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    numbers = [step["numbers"] for step in analysis["trials"][0]["steps"]]
    assert [(one["load.hosts"], one["load.planned"]) for one in numbers] == [(2, 60), (2, 5)]
    assert [one["load.requests"] for one in numbers] == [60, 5]
    lines = {line["name"]: line["v"] for line in analysis["series"]}
    for name in ("load.declared", "load.sent", "load.answered"):
        assert sum(v for v in lines[name] if v is not None) == pytest.approx(650)
    assert lines["load.declared"][11:17] == [0, 10, 10, 10, 10, 10]


def test_fresh_workload_for_each_step(three, unchanged):
    """The hosts go by the clock: it leaves the server the time to start anew."""
    text = spec("wrk").replace("  warmup: 1s", "  between_steps: fresh")
    text = text.replace("\nload:", "  stop: {grace: 1s}\nload:", 1)
    found = three.apply(three.spec(text))
    (trial,) = found["trials"]
    assert [step["outcome"] for step in trial["steps"]] == ["healthy", "healthy"], trial
    run = RunFolder.open(Path(found["report"]).parents[1])
    events = list(run.iter_events("all-r1-a1"))
    pids = [event.pid for event in events if event.kind == "workload_started"]
    assert len(set(pids)) == 2
    kinds = [event.kind for event in events]
    ready = [at for at, kind in enumerate(kinds) if kind == "ready"]
    assert ready[1] < [at for at, kind in enumerate(kinds) if kind == "step_started"][1]


def test_server_that_dies_ends_the_load_too(three, unchanged):
    found = three.apply(three.spec(spec("wrk", "die")), code=None)
    assert found["trials"][0]["outcome"] == "unhealthy"


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        (spec("wrk", url="http://127.0.0.1:{port}/"), "http://{server_address}:{port}"),
        (spec("wrk", more="  network: isolated"), "network: host"),
    ],
)
def test_what_no_other_host_can_reach(three, unchanged, text, fix):
    done = three("apply", str(three.spec(text)), code=3)
    assert fix in done.stderr


def two_boards(load):
    more = "repeat: {per_board: 2}"
    text = spec("h2load", more=more).replace("server: board, load: [left, right]",
                                             f"server: [one, two], load: {load}")  # fmt: skip
    return text.replace("steps: [{connections: 5, duration: 2s}, {connections: 8, duration: 1s}]",
                        "steps: [{connections: 5, duration: 1s}]")  # fmt: skip


@pytest.mark.parametrize(
    "load", ["{per: board}", "{per: board, hosts: [left, right]}", "[left, right]"]
)
def test_two_boards_with_a_load_host_each_or_with_both_of_them(three, load):
    found = three.apply(three.spec(two_boards(load)))
    assert [trial["outcome"] for trial in found["trials"]] == ["healthy"] * 4
    run = RunFolder.open(Path(found["report"]).parents[1])
    used = {
        (plan.host, tuple(part.host for part in plan.loads))
        for plan in run.manifest.trials.values()
    }
    if "per" in load:
        assert used == {("one", ("left",)), ("two", ("right",))}
    else:
        assert used == {("one", ("left", "right")), ("two", ("left", "right"))}


def test_limit_leaves_a_board_its_own_load_host(three):
    found = three.apply(
        three.spec(two_boards("{per: board, hosts: [left, right]}")), "--limit", "two"
    )
    run = RunFolder.open(Path(found["report"]).parents[1])
    assert {p.loads[0].host for p in run.manifest.trials.values()} == {"right"}


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ("{per: board, hosts: [left]}", "1 load host(s) for 2 board(s)"),
        ("{per: board, hosts: [left, left]}", "`left` is the load host of one and two"),
        ("{per: board, hosts: [one, two]}", "is a board itself"),
    ],
)
def test_pairs_that_are_none_are_refused(three, load, said):
    done = three("validate", str(three.spec(two_boards(load))), code=3)
    assert said in done.stdout + done.stderr


def test_a_board_whose_load_host_nobody_names_is_refused(three):
    text = two_boards("{per: board}").replace("[one, two]", "[one, board]")
    done = three("validate", str(three.spec(text)), code=3)
    said = done.stdout + done.stderr
    assert "the inventory names no load host of board: write `load: NAME` there" in said
