"""Two users of one board, and what a board keeps of their runs."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.host.programs import blobs
from runner.host.state import state_folder
from tests.apply.specs import recorded

if TYPE_CHECKING:
    import pytest

    from tests.apply.conftest import Cli

SPEC = """\
schema: experiment/1
name: mine
workload: {{argv: [{python}, -c, "import time; time.sleep({seconds})"], run: once}}
metrics: {{exit: {{from: workload.exit_code}}}}
"""


def spec(cli: Cli, seconds: float) -> str:
    return str(cli.spec(SPEC.format(python=sys.executable, seconds=seconds)))


def other(cli: Cli) -> Cli:
    """The same host by another state folder."""
    return replace(cli, words=["--state-dir", str(cli.folder / "theirs"), *cli.words[2:]])


def test_the_second_is_told_that_the_host_is_busy(local: Cli) -> None:
    controller = local.start("apply", spec(local, 8))
    try:
        run = recorded(local, "all-r1-a1", "workload_started", "mine")
        for words in (("apply", spec(other(local), 0.1)), ("restore",)):
            said = other(local)(*words, code=5).stderr
            assert run.name in said
            assert str(local.folder / "state") in said
    finally:
        controller.send_signal(signal.SIGINT)
        controller.communicate(timeout=60)
    other(local)("apply", spec(local, 0.1))


def test_what_the_controller_has_is_not_kept_on_the_host(cli: Cli) -> None:
    cli("apply", spec(cli, 0.2))
    assert list((cli.folder / "state" / "runs").iterdir()) == []


def test_what_the_controller_has_not_is_kept_until_it_has(local: Cli) -> None:
    controller = local.start("apply", spec(local, 3))
    run = recorded(local, "all-r1-a1", "workload_started", "mine")
    controller.kill()
    controller.communicate(timeout=30)
    local("restore")
    kept = local.folder / "state" / "runs" / run.name
    assert (kept / "all-r1-a1" / "spool.jsonl").exists()
    local("attach", run.name, code=None)
    assert not kept.exists()


def test_what_nobody_comes_for_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = state_folder.open_state(str(tmp_path / "state"))

    def left(number: int, size: int) -> Path:
        folder = Path(where.path("runs", f"run{number:02}", "t1"))
        folder.mkdir(parents=True)
        (folder / "spool.jsonl").write_bytes(os.urandom(size))
        os.utime(folder.parent, (number, number))
        return folder.parent

    made = [left(number, 1 << 16) for number in range(30)]
    Path(where.path("runs", "stray")).touch()
    os.utime(where.path("runs", "stray"), (99, 99))
    blobs.tidy_runs(where, "run00")
    there = {path.name for path in Path(where.path("runs")).iterdir()}
    assert there == {"stray", "run00", *(path.name for path in made[11:])}
    monkeypatch.setattr(blobs, "_KEPT_RUN_BYTES", 3 << 16)
    blobs.tidy_runs(where, "x")
    there = {path.name for path in Path(where.path("runs")).iterdir()}
    assert there == {"stray", "run27", "run28", "run29"}
