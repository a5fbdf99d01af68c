"""What befalls a board in the middle of a run: power cut, full disk, a clock that jumps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.board import names, qemu, registry
from runner.store import manifest_file
from tests.board.machine import REPOSITORY, fresh, inside, needs_qemu, runner, until

pytestmark = needs_qemu

SPEC = """\
schema: experiment/1
name: sleeps
hosts: {server: local}
system: {sysctl: {vm.swappiness: 10}}
workload: {argv: [sleep, "6"], run: once}
repeat: 3
metrics: {rss: {from: procfs.rss, unit: MiB}}
"""
NAME = "test-faults"


@pytest.fixture(scope="module")
def board() -> Iterator[registry.Entry]:
    yield from fresh(names.Board(NAME))


class Apply:
    """An apply that goes on while the test does something to its host."""

    def __init__(self, folder: Path) -> None:
        self.spec, self.reports = folder / "sleeps.yaml", folder / "reports"
        self.spec.write_text(SPEC, encoding="utf-8")
        words = ["apply", self.spec, "-H", NAME, "--reports", self.reports]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runner", *map(str, words)], cwd=REPOSITORY,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    @property
    def run(self) -> Path:
        (found,) = self.reports.glob("sleeps/*")
        return found

    def wait_for(self, trial: str, event: str) -> None:
        said = f'"event":"{event}"'
        until(lambda: any(said in file.read_text()
                          for file in self.reports.glob(f"sleeps/*/events/{trial}.jsonl")))  # fmt: skip

    def end(self) -> str:
        try:
            return self.process.communicate(timeout=400)[0]
        finally:
            self.process.kill()

    def manifest(self) -> dict[str, Any]:
        return dict(manifest_file.read(self.run))


def test_a_run_goes_on_after_a_power_cut(board: registry.Entry, tmp_path: Path) -> None:
    """Finished trials stay, the one that was cut is run again, and the board is as it was."""
    swappiness = "cat /proc/sys/vm/swappiness"
    apply = Apply(tmp_path)
    apply.wait_for("all-r1-a1", "workload_started")
    assert inside(board, swappiness) == "10"
    pid = board.pid
    assert pid is not None
    apply.wait_for("all-r2-a1", "workload_started")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not board.on)
    again = qemu.up(board.board, lambda _: None)
    assert again.port == board.port  # the controller finds the board again
    said = apply.end()
    assert apply.process.returncode == 2, said
    assert apply.manifest()["state"] == "failed"
    first = next(apply.run.glob("events/all-r1-a1.jsonl*")).read_bytes()
    runner("restore", NAME)
    assert inside(again, swappiness) == "60"  # the boot put it back; nothing is left to do

    done = runner("apply", apply.spec, "-H", NAME, "--reports", apply.reports, "--resume", "--json")
    found = {trial["id"]: trial["outcome"] for trial in json.loads(done.stdout)["trials"]}
    healthy = [name for name, outcome in found.items() if outcome == "healthy"]
    assert healthy == ["all-r1-a1", "all-r2-a2", "all-r3-a1"], (found, said)
    assert next(apply.run.glob("events/all-r1-a1.jsonl*")).read_bytes() == first
    assert apply.manifest()["state"] == "done"
    changes = [json.loads(line) for line in (apply.run / "changes.jsonl").read_text().splitlines()]
    wanted = [c for c in changes if c["id"] == "sysctl:vm.swappiness" and c["phase"] == "converge"]
    assert [(c["outcome"], c["after"]) for c in wanted] == [("changed", "10")] * 2
    assert inside(again, swappiness) == "60"


def test_a_clock_that_jumps_moves_no_sample(board: registry.Entry, tmp_path: Path) -> None:
    """A day forward and back in the middle of a trial: durations are the kernel's monotonic ones."""
    apply = Apply(tmp_path)
    apply.wait_for("all-r1-a1", "workload_started")
    now = int(inside(board, "date +%s; date -s '+1 day' >/dev/null").split()[0])
    apply.wait_for("all-r2-a1", "workload_started")
    inside(board, f"date -s @{now + 20} >/dev/null")
    said = apply.end()
    assert apply.process.returncode == 0, said
    done = runner("report", apply.run)
    assert done.returncode == 0
    analysis = json.loads((apply.run / "artifacts" / "analysis.json").read_text())
    assert [trial["outcome"] for trial in analysis["trials"]] == ["healthy"] * 3
    for series in analysis["series"]:
        assert series["t"] == sorted(series["t"])
        assert 0 <= series["t"][-1] < 60


def test_a_full_disk_ends_the_trial_and_is_put_back(board: registry.Entry, tmp_path: Path) -> None:
    """Full in the middle of a trial: said as such, restored all the same; with room it runs."""
    apply = Apply(tmp_path)
    apply.wait_for("all-r1-a1", "workload_started")
    # in ever smaller pieces: what ext4 keeps for root is filled as well
    inside(
        board,
        "n=0; for size in 512M 64M 8M 1M 64k 4k; do "
        "while fallocate -l $size /filler.$n 2>/dev/null; do n=$((n+1)); done; rm -f /filler.$n; done",
    )
    said = apply.end()
    inside(board, "rm -f /filler.*")
    assert apply.process.returncode == 2, said
    # met by the running trial or by the next one
    assert "no room in /var/lib/runner" in said or "/var/lib/runner has 0" in said
    assert "free some space" in said
    runner("restore", NAME)
    assert inside(board, "cat /proc/sys/vm/swappiness") == "60"
    runner("apply", apply.spec, "-H", NAME, "--reports", apply.reports, "--resume")
