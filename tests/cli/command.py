"""`runner` as a user starts it, on recorded runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = Path(__file__).with_name("runs")
SPEC = RUNS / "sizes.yaml"
FIRST, SECOND = sorted(path.name for path in (RUNS / "sizes").iterdir())


def runner(*words, code=0, reports=RUNS, cwd=ROOT, timeout=110, **env):
    done = subprocess.run(
        [sys.executable, "-m", "runner", *map(str, words)],
        cwd=cwd, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RUNNER_REPORTS": str(reports), "NO_COLOR": "1", **env},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    if code is not None:
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done


def alone(folder, command, spec, *words, code):
    """Run a command on a spec in its folder, with reports and state of its own there."""
    state = ("--state-dir", folder / "state")
    return runner(
        command, spec, "-q", *state, *words, code=code, reports=folder / "reports", cwd=folder,
        timeout=600,
    )  # fmt: skip


def copied(folder: Path) -> Path:
    """The recorded runs where a test may change them."""
    reports = folder / "reports"
    shutil.copytree(RUNS / "sizes", reports / "sizes")
    return reports


def changed(folder: Path, old: str, new: str) -> Path:
    """The runs' spec with one change."""
    text = SPEC.read_text()
    assert old in text
    file = folder / "sizes.yaml"
    file.write_text(text.replace(old, new))
    return file
