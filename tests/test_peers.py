"""Twelve public experiments in this language: read, linted, no longer than theirs; some are run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.lint import lint
from runner.specfile import load

ROOT = Path(__file__).parent.parent
PEERS = sorted((ROOT / "experiments" / "peers").glob("*.yaml"))
ROW = re.compile(r"^\| \[([\w-]+)\]\(\S+\) \|.*\| (\d+) \| (\d+) \|$", re.MULTILINE)
TABLE = {
    name: (int(there), int(here))
    for name, there, here in ROW.findall((ROOT / "docs" / "peers.md").read_text("utf-8"))
}
QUICK = ("doe-suite-minimal", "reframe-stream")
"""They run here in half a minute, and leave nothing behind."""


def lines(file: Path) -> int:
    """Lines that are neither empty nor a comment."""
    text = file.read_text("utf-8").splitlines()
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text)


def test_there_are_twelve():
    assert len(PEERS) == 12
    assert {file.stem for file in PEERS} == set(TABLE)


@pytest.mark.parametrize("file", PEERS, ids=lambda file: file.stem)
def test_each_is_read_and_linted_and_no_longer_than_theirs(file):
    experiment = load(file)
    assert [hit for hit in lint(experiment) if hit.severity == "error" and not hit.ignored] == []
    there, here = TABLE[file.stem]
    assert here == lines(file)
    assert here <= there


@pytest.mark.parametrize("name", QUICK)
def test_some_are_run(name, tmp_path):
    if name == "reframe-stream" and shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    argv = [
        sys.executable, "-m", "runner", "apply", str(ROOT / "experiments" / "peers" / f"{name}.yaml"),
        "--json", "--trust", "--state-dir", str(tmp_path / "state"), "--reports", str(tmp_path / "r"),
    ]  # fmt: skip
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "r" / name).glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text("utf-8"))
    assert {trial["outcome"] for trial in analysis["trials"]} == {"healthy"}
    assert all(item["n"] for item in analysis["estimates"])
