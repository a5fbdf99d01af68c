"""A board that is broken, or somebody else's: one clear error, bounded, and a record that can be read."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.analysis.judge import judge
from runner.errors import RunnerError
from runner.report.pages import rebuild
from runner.store.experiment import experiment_of
from runner.store.record import RunFolder
from tests.host.agent import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.apply.conftest import Cli

HOSTILE = Path(__file__).with_name("hostile.py")
SPEC = """\
schema: experiment/1
name: hostile
system:
  files:
    {folder}/conf: {{content: "new"}}
workload: {{argv: [{python}, -c, "print('hello'); import time; time.sleep(0.3)"], run: once}}
metrics:
  exit: {{from: workload.exit_code}}
  rss: {{from: procfs.rss, statistic: max, unit: MiB}}
"""
LIMITS = "line_bytes=2MiB,events=20000,stream_bytes=8MiB,silent_s=4,quiet_s=1,program_s=60"
CASES = {
    "exits": "", "not there": "", "silent": "silent_s", "silent after a while": "silent_s",
    "endless line": "line_bytes", "noise": "stream_bytes", "many events": "events", "much": "stream_bytes",
    "one line for ever": "line_bytes", "much on stderr": None, "nan": "", "huge numbers": None,
}  # fmt: skip
"""What the error names; None where the run may end well."""
ROOT = Path(__file__).resolve().parents[2]
UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MOST_S, MOST_KIB = 90, 500_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def board(ssh: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A host whose Python is a wrapper around the real one."""
    monkeypatch.setenv("RUNNER_LIMITS", LIMITS)
    (tmp_path / "conf").write_text("old")
    wrapper = tmp_path / "python"
    wrapper.write_text("")
    wrapper.chmod(0o755)
    hosts = json.loads((tmp_path / "hosts.yaml").read_text())
    hosts["hosts"]["board"]["python"] = str(wrapper)
    (tmp_path / "hosts.yaml").write_text(json.dumps(hosts))
    yield ssh
    Host(tmp_path / "state").restore(force=True)
    for said in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(tmp_path) in (line := said.read_text(errors="replace")) and HOSTILE.name in line:
                os.kill(int(said.parent.name), signal.SIGKILL)


@pytest.mark.parametrize("case", CASES)
def test_it_is_one_clear_error(board: Cli, tmp_path: Path, case: str) -> None:
    words = (sys.executable, "-I", str(HOSTILE), case, sys.executable)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    spec = board.spec(SPEC.format(folder=tmp_path, python=json.dumps(sys.executable)))
    began = time.monotonic()
    done, peak_kib = weighed(board, tmp_path, "apply", str(spec))
    assert time.monotonic() - began < MOST_S
    assert peak_kib < MOST_KIB
    said = done.stdout + done.stderr
    assert not UNCLEAN.search(said), UNCLEAN.search(said)
    expected = CASES[case]
    if expected is not None:
        assert done.returncode in (2, 4), said
        assert "board" in said
        assert expected in said
    for manifest in board.reports.rglob("run.json"):
        assert readable(manifest.parent)
    # whoever comes later, with an honest Python, puts it back
    back = Host(tmp_path / "state").restore(force=True)
    assert back.end["ok"], back.events
    assert (tmp_path / "conf").read_text() == "old"


PEAK = """\
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode)
"""


def weighed(board: Cli, folder: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run a command by itself; give it with the most memory that it, and no other, had (KiB)."""
    peak = folder / "peak"
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(peak), *board.argv(*words)], cwd=ROOT, env=board.env(),
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=110, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done, int(peak.read_text())


def readable(folder: Path) -> bool:
    """Judge a run and write its report anew; one error of runner's own is an answer too."""
    try:
        record = RunFolder.open(folder)
        found = judge(record, experiment_of(record))
        page = rebuild.write(record, found)
    except RunnerError as error:
        return bool(error.message)
    return not UNCLEAN.search(page.read_text())
