"""`repeat.levels: {build: block}`: each block has a program linked in an order of its own."""

from __future__ import annotations

import json
from pathlib import Path

from runner.store.record import RunFolder

NEWEST = "1.26.6"
"""A Go that the tool gets by itself, since -randlayout is of 1.23 and later."""
PROGRAM = """\
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Printf("{\\"padding\\": %d}\\n", len(os.Getenv("RUNNER_LAYOUT")))
}
"""
SPEC = """\
schema: experiment/1
name: layouts
hosts: {server: local}
build: {go: "GO", package: ./said, env: {CGO_ENABLED: "0"}}
workload: {argv: ["{binary}", "{a}"], run: once}
factors: {a: [p, q]}
repeat: {between: [4, 4], levels: {build: EVERY}}
metrics:
  padding: {from: stdout.json.padding}
  wall: {from: workload.wall, unit: ms}
"""


def run(cli, go: str, every: str) -> RunFolder:
    folder = cli.folder / "said"
    folder.mkdir(exist_ok=True)
    (folder / "main.go").write_text(PROGRAM)
    (folder / "go.mod").write_text("module said\n\ngo 1.21\n")
    found = cli.apply(cli.spec(SPEC.replace("GO", go).replace("EVERY", every)))
    return RunFolder.open(Path(found["report"]).parents[1])


def test_each_block_has_a_link_order_and_an_environment_of_its_own(local):
    """Treatments of one block share the layout; run.json has the seeds and the programs."""
    folder = run(local, NEWEST, "block")
    layouts = folder.manifest.layouts
    assert list(layouts) == ["1", "2", "3", "4"]
    programs = [one.builds["p"] for one in layouts.values()]
    assert len(set(programs)) == 4
    assert all(one.builds["q"] == one.builds["p"] for one in layouts.values())
    assert all(one.link for one in layouts.values())
    by_block = {}
    for trial in folder.manifest.trials.values():
        by_block.setdefault(trial.repetition, set()).add(trial.build)
    assert by_block == {1: {"1"}, 2: {"2"}, 3: {"3"}, 4: {"4"}}
    analysis = json.loads((folder.path / "artifacts/analysis.json").read_text())
    seen = {t["repetition"]: t["build"] for t in analysis["trials"]}
    assert seen == {1: "1", 2: "2", 3: "3", 4: "4"}
    (padding,) = [e for e in analysis["estimates"] if e["metric"] == "padding"][:1]
    assert padding["values"] == [one.padding for one in layouts.values()]
    report = (folder.path / "artifacts/report.md").read_text()
    assert "Between repetitions varied: 4 layouts." in report
    assert "one board, one boot and one session" in report
    assert "a link order of its own" in report


def test_a_layout_of_several_blocks_is_one_unit_and_its_spread_is_said(local):
    """Estimates have as many values as there were layouts."""
    folder = run(local, NEWEST, "2")
    assert list(folder.manifest.layouts) == ["1", "2"]
    analysis = json.loads((folder.path / "artifacts/analysis.json").read_text())
    assert {e["n"] for e in analysis["estimates"]} == {2}
    levels = {(s["metric"], s["level"]): s["units"] for s in analysis["spreads"]}
    assert levels["wall", "layout"] == 2
    assert levels["wall", "repetition"] == 4
    report = (folder.path / "artifacts/report.md").read_text()
    assert "What each level is worth" in report


def test_an_older_linker_varies_the_environment_alone_and_says_so(local):
    """Go 1.22 has no -randlayout."""
    folder = run(local, "1.22.10", "block")
    layouts = folder.manifest.layouts
    assert {one.link for one in layouts.values()} == {None}
    assert len({one.builds["p"] for one in layouts.values()}) == 1
    assert len({one.padding for one in layouts.values()}) == 4
    report = (folder.path / "artifacts/report.md").read_text()
    assert "layouts differ in the size of the environment only" in report.lower()
