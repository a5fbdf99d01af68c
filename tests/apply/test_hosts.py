"""A phase at all hosts at once: what they tell stays in order, one fault hides no other host."""

from __future__ import annotations

import threading

import pytest

from runner.apply import hosts as at_all
from runner.apply.interface import HostEntry, Options
from runner.apply.state import HostRun
from runner.errors import HostError
from runner.executor.agent import Agent
from runner.planning.layers import Declared
from runner.planning.state import declared
from runner.transports.local import LocalTransport


class Told:
    """A reporter that keeps the words."""

    def __init__(self) -> None:
        self.words: list[tuple[str, str]] = []

    def phase(self, text: str) -> None:
        self.words.append(("phase", text))

    def note(self, text: str) -> None:
        self.words.append(("note", text))

    def result(self, host, phase, result, diff) -> None:
        self.words.append((host, result.outcome))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def fleet(tmp_path, told) -> list[HostRun]:
    """Three state folders of this machine, which have nothing else in common."""
    made = []
    for name in ("a", "b", "c"):
        entry = HostEntry(name, LocalTransport(name=name), state_dir=str(tmp_path / name))
        agent = Agent(entry.transport, run_id="run", state_dir=entry.state_dir)
        made.append(HostRun(entry, agent, "test:1", told, lambda _: None))
    return made


@pytest.fixture
def options(tmp_path) -> Options:
    return Options(reports=tmp_path / "reports", cache=tmp_path / "cache")


def test_all_phases(fleet, told, options, tmp_path):
    # it is one machine after all: what is there already is `ok` for each, whoever comes first
    (tmp_path / "there").mkdir()
    system = Declared(declared({"files": {f"{tmp_path}/there": {"directory": True}}}))
    assert at_all.observe(fleet, system, options, told) == {}
    assert all(host.facts["host.name"] for host in fleet)
    assert at_all.apply(fleet, system, options, told) == {}
    names = [name for name, _ in told.words if name != "phase"]
    assert names == ["a", "b", "c"]
    assert [text for kind, text in told.words if kind == "phase"] == [
        "converge a", "converge b", "converge c",
    ]  # fmt: skip
    assert at_all.restore(fleet) == {}


def test_they_work_at_the_same_time(fleet):
    """Each waits for the others: one after the other, they would wait for ever."""
    barrier = threading.Barrier(3, timeout=20)
    assert at_all._at_all(fleet, lambda _: barrier.wait()) == [None] * 3


def test_one_fault_hides_no_other_host(fleet, told):
    done = []

    def work(host: HostRun) -> None:
        host.reporter.note(host.name)
        if host.name == "b":
            raise HostError("b broke")
        done.append(host.name)

    faults = at_all._at_all(fleet, work)
    assert [str(fault) if fault else None for fault in faults][0::2] == [None, None]
    assert isinstance(faults[1], HostError)
    assert sorted(done) == ["a", "c"]
    assert [text for _, text in told.words] == ["a", "b", "c"]
    assert all(host.reporter is told for host in fleet)
