"""`search: {workload: keep}`: every level is a trial of its own, on one workload."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import signal
from pathlib import Path

from tests.apply.specs import running, spec

SEARCH = """\
healthy: [load.connections <= 10, workload.alive]
search: {find: highest healthy connections, between: [2, 64], resolution: 1,
  confirm: {trials: 1, healthy: 1}, workload: keep}
repeat: {unit: search, between: [2, 2]}
metrics:
  level: {from: search.level}
  rss: {from: procfs.rss, at: search.level, unit: MiB}
"""


def searching(how="good", *, seconds=1, searches=2):
    steps = f"steps:\n    - {{connections: 4, duration: {seconds}s}}"
    text = spec(how, seconds=seconds, more=SEARCH.replace("[2, 2]", f"[{searches}, {searches}]"))
    assert steps in text
    return text.replace(steps, f"measure: {seconds}s")


def run_of(local):
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    return json.loads((folder / "run.json").read_text()), analysis, folder


def test_each_search_has_one_workload(local, unchanged):
    """Two searches, two processes; the report says so, and the metrics are there."""
    local.apply(local.spec(searching()), code=None)
    run, analysis, folder = run_of(local)
    first, second = run["search"]["runs"]
    assert (first["last_passing"], first["first_failing"]) == (10, 11)
    assert (first["workload"], first["workloads"], second["workloads"]) == ("keep", 1, 1)
    trials = {trial["id"]: trial for trial in analysis["trials"]}
    assert len(trials) == first["trials"] + second["trials"]
    for repetition in (1, 2):
        own = [trial for trial in trials.values() if trial["repetition"] == repetition]
        ids = [trial["id"] for trial in own]
        assert [trial["kept_from"] for trial in own] == ["", *ids[:-1]]
        assert all(trial["steps"][0]["numbers"]["procfs.rss"] > 0 for trial in own)
        assert "it started in trial" in own[-1]["steps"][0]["why"]["workload.ready_after"]
    report = (folder / "artifacts" / "report.md").read_text()
    assert "search 1: one workload was kept for all its trials" in report


def test_one_that_dies_is_followed_by_a_fresh_one(local, unchanged):
    """The level at which it died is unhealthy, and the search goes on."""
    local.apply(local.spec(searching("die", searches=1)), code=None)
    run, analysis, folder = run_of(local)
    (found,) = run["search"]["runs"]
    assert found["workloads"] == found["trials"] > 1
    assert {trial["outcome"] for trial in analysis["trials"]} == {"unhealthy"}
    report = (folder / "artifacts" / "report.md").read_text()
    assert f"search 1: {found['trials']} workloads; one that dies" in report


def said_in(cli, word: str) -> int:
    """In how many trials' records an event is."""
    said = f'"event":"{word}"'.encode()
    files = [*cli.reports.rglob("events/*.jsonl"), *cli.reports.rglob("events/*.jsonl.gz")]
    found = 0
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # packed meanwhile
            data = file.read_bytes()
            found += said in (gzip.decompress(data) if file.suffix == ".gz" else data)
    return found


def test_an_interrupted_search_leaves_no_workload(local, unchanged):
    """Ctrl-C between or in trials: stopped cleanly, the kept one too."""
    process = local.start("apply", local.spec(searching(seconds=2)))
    running(process, lambda: said_in(local, "workload_started") == 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 99, out + err
    texts = [
        gzip.decompress(path.read_bytes()).decode()
        for path in local.reports.rglob("events/*-a1.jsonl.gz")
    ]
    begun = [line for text in texts for line in text.splitlines() if '"workload_started"' in line]
    pids = {int(re.search(r'"pid":(\d+)', line)[1]) for line in begun}
    assert len(pids) == 1
    assert len(begun) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_killed_controller_is_followed_by_attach_and_resume(local, unchanged):
    """The trial goes on and is kept; its workload waits for nobody; the search goes on anew."""
    file = local.spec(searching(seconds=2, searches=1))
    process = local.start("apply", file)
    running(process, lambda: said_in(local, "measure_started") == 2)
    process.kill()
    process.communicate()
    (folder,) = (local.reports / "small").glob("2*")
    attached = local("attach", str(folder), code=None)
    assert "restored" in attached.stderr, attached.stderr
    said = json.loads(local("status", "--json").stdout)
    assert not any(trial["running"] for host in said.values() for trial in host["trials"])
    local("apply", file, "--resume", folder.name, code=None)
    run, analysis, _ = run_of(local)
    (found,) = run["search"]["runs"]
    assert found["workloads"] == 2
    ids = [trial["id"] for trial in analysis["trials"]]
    assert len(ids) == len(set(ids)) == found["trials"]
    assert (found["last_passing"], found["first_failing"]) == (10, 11)
