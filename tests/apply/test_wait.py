"""Two controllers at once: one has the host, the other is told, or waits."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import create_autospec

import pytest

from runner.apply import hosts as at_all
from runner.apply.interface import HostEntry, Options, Reporter
from runner.apply.state import HostRun
from runner.errors import HostBusy
from runner.executor.agent import Agent
from runner.executor.restore import restore
from runner.planning.layers import Declared
from runner.planning.state import declared
from runner.transports.local import LocalTransport


def controller(run: str, folder, notes: list[str] | None = None) -> HostRun:
    entry = HostEntry("board", LocalTransport(name="board"), state_dir=str(folder / "state"))
    reporter = create_autospec(Reporter, instance=True)
    reporter.note.side_effect = [] if notes is None else notes.append
    agent = Agent(entry.transport, run_id=run, state_dir=entry.state_dir)
    return HostRun(entry, agent, "test:1", reporter, lambda _: None)


@pytest.fixture
def options(tmp_path) -> Options:
    return Options(reports=tmp_path / "reports", cache=tmp_path / "cache", wait=True)


def system(folder, text: str):
    return Declared(declared({"files": {f"{folder}/file": {"content": text}}}))


def test_taken_between_probe_and_converge(tmp_path, options, monkeypatch):
    """What was seen is seen anew once the other is gone: its change is not taken for ours."""
    notes: list[str] = []
    first, second = controller("run-1", tmp_path, notes), controller("run-2", tmp_path)
    mine, theirs = system(tmp_path, "mine"), system(tmp_path, "theirs")
    at_all.observe([first], mine, options, first.reporter)
    second.observe(theirs)
    second.apply(theirs, options)
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert not first.touched, "nothing of it is to be put back"
        if len(slept) == 2:
            restore(second.agent)

    monkeypatch.setattr(at_all, "time", SimpleNamespace(sleep=sleep))
    at_all.apply([first], mine, options, first.reporter)
    assert len(slept) == 2
    assert "held by run run-2" in notes[0]
    assert (tmp_path / "file").read_text() == "mine"
    first.restore()
    assert not (tmp_path / "file").exists()


def test_a_host_without_state_to_apply_is_held_all_the_same(tmp_path, options):
    """A spec with a workload and no `system` has the host from converge on, not from its trial."""
    first, second = controller("run-1", tmp_path), controller("run-2", tmp_path)
    first.observe(Declared({}))
    first.apply(Declared({}), options)
    with pytest.raises(HostBusy, match="run-1"):
        second.observe(Declared({}))
    first.restore()
    second.observe(Declared({}))
    second.apply(Declared({}), options)
    second.restore()


def test_without_wait_it_is_said(tmp_path, options):
    first, second = controller("run-1", tmp_path), controller("run-2", tmp_path)
    mine, theirs = system(tmp_path, "mine"), system(tmp_path, "theirs")
    first.observe(mine)
    second.observe(theirs)
    second.apply(theirs, options)
    found = at_all.apply([first], mine, Options(options.reports, options.cache), first.reporter)
    assert isinstance(found["board"], HostBusy)
    assert "run-2" in found["board"].message
    assert found["board"].exit_code == 5
    assert not first.touched
    second.restore()


def test_three_at_once_all_get_their_turn(local, unchanged):
    """Each applies and restores in turn; none exits 5."""
    text = "schema: experiment/1\nname: turn\nhosts: {server: local}\n"
    text += f"system: {{files: {{{local.folder}/file: {{content: NUMBER}}}}}}\n"
    started = [
        local.start(
            "apply", str(local.spec(text.replace("NUMBER", f"n{n}"), f"{n}.yaml")), "--wait"
        )
        for n in range(3)
    ]
    for process in started:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    assert not (local.folder / "file").exists()
