"""A heap dump in the middle of a load, by the whole way: host, link, record, numbers, report."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.timeout(300),
]

SPEC = Path(__file__).resolve().parents[2] / "experiments/published/go-under-32mb/heap-atlas.yaml"


def short(folder: Path) -> Path:
    """heap-atlas with one short step, beside its workloads."""
    shutil.copytree(SPEC.parent / "workloads", folder / "workloads")
    text = SPEC.read_text(encoding="utf-8")
    text = text.replace("    - {connections: 600, duration: 6s}\n", "")
    text = text.replace("duration: 6s", "duration: 3s").replace("after: 3s", "after: 1s")
    text = text.replace('where: {step: "600"}', 'where: {step: "90"}').replace("[9, 9]", "[1, 1]")
    path = folder / "heap-atlas.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_atlas_is_made_here_and_over_ssh_and_rebuilt_from_the_record(cli, unchanged):
    """Every byte joined; the dump's events are whole and not for git; the report is the same again."""
    said = cli.apply(short(cli.folder), code=None)
    (trial,) = said["trials"]
    assert trial["outcome"] == "healthy", trial["why"]
    (run,) = cli.reports.glob("heap-atlas/*")
    analysis = json.loads((run / "artifacts" / "analysis.json").read_text(encoding="utf-8"))
    numbers = analysis["trials"][0]["steps"][0]["numbers"]
    assert numbers["atlas.joined_share"] == numbers["atlas.frames_in_arena"] == 1
    assert numbers["atlas.brk_heap_share"] == 0
    assert numbers["atlas.stacked_share"] > 0.95
    assert numbers["heapdump.goroutines"] >= 90
    assert numbers["pprof.goroutine.count"] >= 90
    assert numbers["atlas.arena_top"] <= numbers["atlas.arena_extent"]
    # objects are what the last collection left and what came since; HeapAlloc is that and garbage
    assert numbers["heapdump.bytes"] <= numbers["heapdump.memstats.HeapAlloc"]
    # the group's memory is the process's own and the kernel's for it
    assert numbers["atlas.rss"] > numbers["atlas.arena_rss"] > 0
    (events,) = (run / "events").glob("*.jsonl.gz.raw")
    with gzip.open(events, "rt", encoding="utf-8") as lines:
        kinds = [json.loads(line)["event"] for line in lines]
    assert kinds.count("fetched_part") >= 3
    report = run / "artifacts" / "report.md"
    figures = sorted((run / "artifacts" / "figures").glob("[af]*-0.svg"))
    assert [figure.name.split("-")[0] for figure in figures] == ["atlas", "flame"]
    before = {path: path.read_bytes() for path in [report, *figures]}
    for path in before:
        path.unlink()
    events.unlink()
    cli("report", str(run))
    assert {path: path.read_bytes() for path in before} == before
