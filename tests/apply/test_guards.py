"""Guards broken for real while a trial runs: invalid, run again up to the bound, all kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apply.conftest import groups
from tests.apply.specs import recorded, spec
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def pressure():
    """A key of the kernel that no other test changes; it is 100 unless somebody said otherwise."""
    path = Path("/proc/sys/vm/vfs_cache_pressure")
    before = path.read_text()
    yield path
    left = path.read_text()
    path.write_text(before)
    assert left == before


def test_state_that_somebody_changes_in_the_middle_of_a_step(local, unchanged, pressure):
    """The first attempt says which value it was; the second one, undisturbed, counts."""
    more = "guards: [not host.drift]\nrepeat: {attempts: 3}\n"
    text = spec(seconds=2, more=more).replace("sysctl: {", "sysctl: {vm.vfs_cache_pressure: 103, ")
    process = local.start("apply", str(local.spec(text)), "--json")
    recorded(local, "all-r1-a1", "measure_started")
    assert pressure.read_text() == "103\n"
    pressure.write_text("104\n")
    recorded(local, "all-r1-a1", "state_checked")
    pressure.write_text("103\n")
    said, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    found = json.loads(said)
    first, second = found["trials"]
    assert (first["outcome"], second["outcome"]) == ("invalid", "healthy")
    assert (first["id"], second["id"]) == ("all-r1-a1", "all-r1-a2")
    assert "sysctl:vm.vfs_cache_pressure: '103' is now '104'" in Path(found["report"]).read_text()


def test_host_that_others_keep_busy(local, unchanged):
    """A program beside the trial spins on every core: invalid each time, never unhealthy."""
    more = "guards: [host.others <= 20%]\nrepeat: {attempts: 2}\n"
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        trials = local.apply(local.spec(spec(seconds=2, more=more)), code=None)["trials"]
    finally:
        for one in spinning:
            one.kill()
            one.wait()
    assert [trial["outcome"] for trial in trials] == ["invalid", "invalid"]
    assert [trial["id"] for trial in trials] == ["all-r1-a1", "all-r1-a2"]
    assert "host.others <= 20%" in trials[0]["why"]
    assert trials[0]["steps"][0]["numbers"]["host.others"] > 0.2


def test_second_interrupt_leaves_the_trial_running_and_says_how_to_attach(cli, unchanged, tmp_path):
    """A workload deaf to SIGTERM takes its time to stop; who cannot wait attaches later."""
    text = spec(seconds=30).replace("  ready:", "  stop: {grace: 20s}\n  ready:")
    text = text.replace(" good,", " deaf,")
    process = cli.start("apply", str(cli.spec(text)))
    run = recorded(cli, "all-r1-a1", "measure_started")
    process.send_signal(signal.SIGINT)
    before = []
    while "Ctrl-C again leaves it running" not in "".join(before):
        before.append(process.stderr.readline())
        assert before[-1], before
    (spool,) = tmp_path.glob("state/runs/*/*/spool.jsonl")
    pid = re.search(rb'"workload_started".*?"pid":(\d+)', spool.read_bytes())[1].decode()
    until(lambda: Path("/proc", pid, "comm").read_text() == "deaf\n", within_s=15)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 99, said
    assert f"runner attach {run.name}" in said
    assert "Traceback" not in said
    assert groups(tmp_path), "the trial was ended all the same"
    assert json.loads((run / "run.json").read_text())["state"] == "running"
    cli("attach", run.name, code=2)  # what was stopped is a failed trial
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"
