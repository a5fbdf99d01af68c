"""A controller that is killed: status sees what is left, attach and --resume go on."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from runner.store.record import RunFolder
from tests.apply.conftest import Cli
from tests.apply.specs import recorded
from tests.workers import kernel

KEY = Path("/proc/sys/vm/max_map_count")
SPEC = """\
schema: experiment/1
name: long
hosts: {{server: local}}
system: {{sysctl: {{vm.max_map_count: {wanted}}}}}
workload:
  argv: [python3, -c, "import time; time.sleep({seconds})"]
  run: once
  cgroup: {{memory.max: 64MiB}}
factors: {{level: [a, b]}}
repeat: {{between: [2, 2], order: {{by: written}}}}
metrics: {{rss: {{from: procfs.rss, statistic: max, unit: MiB}}}}
"""

pytestmark = [kernel, pytest.mark.timeout(180)]


@pytest.fixture
def before():
    found = KEY.read_text()
    yield found
    left = KEY.read_text()
    KEY.write_text(found)
    assert left == found


def spec(cli: Cli, before: str, seconds: float = 2.5) -> Path:
    return cli.spec(SPEC.format(wanted=int(before) + 1, seconds=seconds), "long.yaml")


def kill(controller) -> None:
    os.kill(controller.pid, signal.SIGKILL)
    controller.communicate(timeout=20)


def begun(run: Path) -> dict[str, int]:
    """How often each trial was started, over all that was recorded."""
    import gzip

    found = {}
    for file in (run / "events").iterdir():
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        found[file.name.partition(".")[0]] = text.count(b'"event":"trial_started"')
    return found


def test_killed_attached_and_resumed(cli, before):
    file = spec(cli, before)
    controller = cli.start("apply", str(file))
    run = recorded(cli, "b-r1-a1", "sample", "long")
    kill(controller)

    said = cli("status").stdout
    assert f"run {run.name}" in said
    assert "applied    sysctl:vm.max_map_count" in said
    assert "running    trial b-r1-a1" in said

    cli("attach")
    assert KEY.read_text() == before
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["state"] == "interrupted"
    assert "2 of 4 repetitions are complete" in manifest["why"]
    assert "nothing is changed" in cli("status").stdout

    said = cli.apply(file, "--resume", run.name)
    assert said["run"] == run.name
    assert begun(run) == {"a-r1-a1": 1, "b-r1-a1": 1, "a-r2-a1": 1, "b-r2-a1": 1}
    assert [trial["outcome"] for trial in said["trials"]] == ["healthy"] * 4
    manifest = json.loads((run / "run.json").read_text())
    assert (manifest["state"], len(manifest["resumed"])) == ("done", 1)
    assert "nothing is left" in cli("apply", str(file), "--resume", run.name, code=2).stderr


def test_resume_alone_follows_what_still_runs(local, before):
    file = spec(local, before)
    controller = local.start("apply", str(file))
    run = recorded(local, "b-r1-a1", "sample", "long")
    kill(controller)
    said = local.apply(file, "--resume")
    assert said["run"] == run.name
    assert begun(run) == {"a-r1-a1": 1, "b-r1-a1": 1, "a-r2-a1": 1, "b-r2-a1": 1}
    assert KEY.read_text() == before


def test_a_trial_that_was_lost_gets_a_new_attempt(local, before):
    file = spec(local, before)
    controller = local.start("apply", str(file))
    run = recorded(local, "b-r1-a1", "sample", "long")
    kill(controller)
    # its host's record is gone: what is here has no end
    import shutil

    for trial in json.loads(local("status", "--json").stdout)["local"]["trials"]:
        if trial["running"]:
            local("restore")
    shutil.rmtree(local.folder / "state" / "runs", ignore_errors=True)
    said = local.apply(file, "--resume")
    ids = [trial["id"] for trial in said["trials"]]
    assert "b-r1-a2" in ids
    assert all(count <= 1 for count in begun(run).values())
    good = [trial for trial in said["trials"] if trial["outcome"] == "healthy"]
    assert sorted((t["treatment"]["level"], t["repetition"]) for t in good) == [
        ("a", 1), ("a", 2), ("b", 1), ("b", 2),
    ]  # fmt: skip


def test_nobody_attaches_while_the_controller_lives(local, before):
    file = spec(local, before, seconds=6)
    controller = local.start("apply", str(file))
    run = recorded(local, "a-r1-a1", "sample", "long")
    try:
        for words in (("attach", run.name), ("apply", str(file), "--resume", run.name)):
            assert "followed by its controller" in local(*words, code=5).stderr
        assert json.loads((run / "run.json").read_text())["state"] == "running"
    finally:
        controller.send_signal(signal.SIGINT)
        controller.communicate(timeout=60)


def test_another_spec_is_not_gone_on_with(local, before):
    file = spec(local, before, seconds=0.2)
    run = local.apply(file)["run"]
    manifest = local.reports / "long" / run / "run.json"
    manifest.write_text(manifest.read_text().replace('"state": "done"', '"state": "failed"'))
    other = spec(local, before, seconds=0.3)
    assert "has changed since" in local("apply", str(other), "--resume", run, code=3).stderr


def test_nothing_to_attach_to(local):
    assert "is unfinished" in local("attach", code=2).stderr


def test_status_tells_drift_from_what_is_applied(local, before):
    text = f"schema: experiment/1\nname: s\nsystem: {{sysctl: {{vm.max_map_count: {int(before) + 1}}}}}\n"
    local.apply(local.spec(text), "--keep")
    assert "kept in place" in local("status").stdout
    KEY.write_text(str(int(before) + 2))
    try:
        said = json.loads(local("status", "--json").stdout)["local"]
        assert [one["state"] for one in said["applied"]] == ["drifted"]
        assert said["applied"][0]["now"] == str(int(before) + 2)
    finally:
        KEY.write_text(str(int(before) + 1))
    assert f"applied    sysctl:vm.max_map_count  {before.strip()} →" in local("status").stdout
    local("restore")
    assert "nothing is changed" in local("status").stdout


def test_it_does_not_go_on_on_another_machine_of_the_same_name(local, before):
    """Another boot is the same machine; another CPU count is not, and nothing is written."""
    file = spec(local, before)
    controller = local.start("apply", str(file))
    run = recorded(local, "b-r1-a1", "sample", "long")
    kill(controller)
    local("attach")
    path = run / "facts.json"
    facts = json.loads(path.read_text())
    own = facts["local"]
    path.write_text(json.dumps({"local": own | {"cpu.count": own["cpu.count"] + 4}}))
    kept = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    said = local("apply", str(file), "--resume", code=2).stderr
    assert "another machine" in said
    assert f"cpu.count was {own['cpu.count'] + 4}, is {own['cpu.count']}" in said
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == kept
    path.write_text(json.dumps({"local": own | {"boot_id": "another"}}))
    local("apply", str(file), "--resume")
    trials = json.loads((run / "run.json").read_text())["trials"]
    assert {trial["session"] for trial in trials.values()} == {"1", "2"}
    assert {trial["machine"] for trial in trials.values()} == {trials["a-r1-a1"]["machine"]}
    assert all(trial["boot"] == own["boot_id"] for trial in trials.values())


FIN = Path("/proc/sys/net/ipv4/tcp_fin_timeout")
LAID = """\
schema: experiment/1
name: laid
hosts: {{server: local}}
system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 37}}}}
workload:
  argv: [python3, -c, "import time; print(open('{key}').read(), flush=True); time.sleep(2.5); print(open('{key}').read())"]
  run: once
  cgroup: {{memory.max: 64MiB}}
factors:
  fin:
    low: {{system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 31}}}}}}
    high: {{system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 33}}}}}}
repeat: {{between: [2, 2], order: {{by: written}}}}
guards: [host.drift == 0]
metrics: {{seen: {{from: stdout.regex, pattern: '(\\d+)\\s*$'}}}}
"""


def seen(run: Path) -> dict[str, list[str]]:
    """What each trial saw at its begin and at its end."""
    folder = RunFolder.open(run)
    found: dict[str, list[str]] = {}
    for trial in folder.manifest.trials:
        events = [e for e in folder.iter_events(trial) if e.kind == "output"]
        found[trial] = "".join(e.text for e in events if e.stream == "stdout").split()
    return found


@pytest.mark.parametrize("attached", [True, False])
def test_killed_in_the_middle_of_a_treatment(local, attached):
    """The trial that runs on keeps its treatment's state; status, attach and --resume know it."""
    left = FIN.read_text()
    file = local.spec(LAID.format(key=FIN), "laid.yaml")
    controller = local.start("apply", str(file))
    run = recorded(local, "high-r1-a1", "sample", "laid")
    kill(controller)
    assert FIN.read_text().strip() == "33"
    said = local("status").stdout
    assert "running    trial high-r1-a1" in said
    assert "sysctl:net.ipv4.tcp_fin_timeout" in said
    assert "→ 33" in said
    if attached:
        local("attach")
        assert FIN.read_text() == left
        assert "nothing is changed" in local("status").stdout
        assert seen(run)["high-r1-a1"] == ["33", "33"]
    said = local.apply(file, "--resume", run.name)
    assert FIN.read_text() == left
    assert [trial["outcome"] for trial in said["trials"]] == ["healthy"] * 4
    assert seen(run) == {
        f"{name}-r{n}-a1": [value] * 2
        for n in (1, 2)
        for name, value in (("low", "31"), ("high", "33"))
    }
    assert begun(run) == dict.fromkeys(seen(run), 1)
