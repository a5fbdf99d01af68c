"""probe, converge and restore: what they send, and the types they give back."""

import json

import pytest

from runner import errors
from runner.executor.converge import converge, hold
from runner.executor.probe import HostState, probe
from runner.executor.restore import restore
from runner.records.host_events import Hold, Result, Value
from tests.events import typed

CELL = {
    "id": "sysctl:vm.swappiness",
    "via": "pseudo",
    "path": "/proc/sys/vm/swappiness",
    "want": "10",
}


class Scripted:
    """Takes a program, gives prepared events."""

    name = "pi"

    def __init__(self, *events):
        self.events = typed([*events, {"event": "end", "ok": True, "error": None}])
        self.sent = None

    def run(self, program):
        json.dumps(program)
        self.sent = program
        yield from self.events


def test_probe():
    agent = Scripted(
        {"event": "facts", "facts": {"cgroup.version": 2, "absent": {}}},
        {"event": "value", "id": "a", "value": "0", "error": None},
        {"event": "value", "id": "b", "value": None, "error": "EACCES"},
        {
            "event": "host",
            "busy": {"run": "r0", "since": 1.0, "seen": 2.0},
            "journal": {"entries": 3, "runs": ["r0"]},
            "root": True,
        },
    )
    facts, values, host = probe(agent, [CELL])
    assert facts["cgroup.version"] == 2
    assert values == {"a": Value("a", "0"), "b": Value("b", None, "EACCES")}
    assert host == HostState(
        root=True, busy=Hold("r0", 1.0, 2.0), journal_entries=3, journal_runs=("r0",)
    )
    assert agent.sent.items() >= {"program": "probe", "facts": True, "cells": [CELL]}.items()


def test_probe_without_facts():
    agent = Scripted()
    assert probe(agent, facts=False) == ({}, {}, HostState())
    assert agent.sent.items() >= {"program": "probe", "facts": False, "cells": []}.items()


def test_converge():
    changed = {
        "event": "result",
        "id": "a",
        "outcome": "changed",
        "before": "60",
        "after": "10",
        "why": None,
    }
    failed = {"event": "result", "id": "b", "outcome": "failed", "before": "0", "after": "100",
              "why": "kernel kept '100', not '101'"}  # fmt: skip
    agent, seen = Scripted(changed, failed), []
    results = converge(agent, iter([CELL]), held=hold("me", 60), on_event=seen.append)
    assert results == [
        Result("a", "changed", "60", "10"),
        Result("b", "failed", "0", "100", "kernel kept '100', not '101'"),
    ]
    assert [(r.changed, r.failed) for r in results] == [(True, False), (False, True)]
    assert [event.kind for event in seen] == ["result", "result", "end"]
    assert agent.sent == {
        "program": "converge", "cells": [CELL], "check": False,
        "hold": {"controller": "me", "lease_s": 60},
    }  # fmt: skip


def test_what_was_done_before_an_error_is_known():
    class Cut(Scripted):
        def run(self, program):
            yield self.events[0]
            raise errors.HostUnreachable("cut")

    seen = []
    with pytest.raises(errors.HostUnreachable):
        converge(
            Cut({"event": "result", "id": "a", "outcome": "changed"}), [CELL], on_event=seen.append
        )
    assert [event.id for event in seen] == ["a"]


def test_restore():
    agent = Scripted(
        {"event": "result", "id": "a", "outcome": "restored", "before": "10", "after": "60"}
    )
    assert restore(agent, force=True) == [Result("a", "restored", "10", "60")]
    assert agent.sent == {"program": "restore", "force": True, "leave_kept": False}


@pytest.mark.parametrize("outcome", ["ok", "ok (normalised)", "skipped"])
def test_neither_changed_nor_failed(outcome):
    result = Result("a", outcome)
    assert not result.changed
    assert not result.failed
