"""A trial is judged from its events: recorded ones, and recorded ones with one thing changed."""

from __future__ import annotations

import pytest

from runner.records.steps import StepPlan
from tests.analysis.trial.recording import LOAD, STEP, ended, failed, judged, recorded


def test_guards_on_time_are_not_judged_on_an_emulated_host():
    """The generator is emulated too; what does not depend on time is judged all the same."""
    events = recorded("healthy")
    guards = ["load.cpu < 0", "cgroup.oom_kills < 0"]
    assert judged(events, guards=guards[:1]).outcome == "invalid"
    assert judged(events, guards=guards[:1], emulated=True).outcome == "healthy"
    assert judged(events, guards=guards, emulated=True).outcome == "invalid"


def test_healthy():
    found = judged(recorded("healthy"), healthy=["load.error_ratio <= 0.001", "workload.alive"])
    assert (found.outcome, found.why) == ("healthy", "")


@pytest.mark.parametrize("next_step", [False, True])
def test_death_belongs_to_the_step_it_happened_in(next_step):
    """Just after a step's end it is that step's, unless the next one has begun."""
    events = recorded("healthy")
    at = next(i for i, e in enumerate(events) if e["event"] == "step_ended")
    t = events[at]["t"]
    later = [{"event": "step_started", "index": 1, "name": "8", "t": t + 0.1, "at": 0.0}]
    death = {"event": "workload_exited", "expected": False, "signal": 9, "t": t + 0.3, "at": 0.0}
    events[at + 1 : at + 1] = [*(later if next_step else []), death]
    found = judged(events, steps=(STEP, StepPlan(1, "8", 8, "wrk", LOAD)))
    outcomes = [step.outcome for step in found.steps]
    assert outcomes == (["healthy", "unhealthy"] if next_step else ["unhealthy"])


@pytest.mark.parametrize("name", ["died", "oom"])
def test_death_is_unhealthy(name):
    """Killed, or killed for its memory, in the middle of the step."""
    found = judged(recorded(name))
    assert found.outcome == "unhealthy"
    assert "workload.alive" in failed(found.steps[0])


@pytest.mark.parametrize("name", ["died", "oom"])
def test_death_wins_over_what_it_did_to_the_generator(name):
    """The generator was cut, and printed nothing of use: that was the server's death."""
    found = judged(recorded(name, ended(exit=1, stdout="", stderr="unable to connect")))
    assert found.outcome == "unhealthy"
    assert "workload.alive" in failed(found.steps[0])
    assert not any("generator" in rule.rule for rule in found.guards)


def test_generator_that_fails_beside_a_living_workload_is_invalid():
    found = judged(recorded("healthy", ended(exit=1, stdout="", stderr="no such option")))
    assert found.outcome == "invalid"
    assert "no such option" in failed(found.steps[0])["the load generator works"]


def test_step_cut_for_oom_kills_of_a_child_is_unhealthy():
    """A forking server lost a child: the parent lives, the step was cut all the same."""
    cut = "1 OOM kills in the workload's cgroup"
    found = judged(recorded("healthy", ended(cut=cut, exit=None, stdout="")))
    assert found.outcome == "unhealthy"
    assert cut in failed(found.steps[0]).values()


def test_broken_guard_wins_over_a_death():
    """A death on a host that was not fit to measure says nothing."""
    found = judged(recorded("died"), guards=["host.load1 <= 0.0001"])
    assert found.outcome == "invalid"


def test_aborted_before_the_first_step_says_why():
    found = judged(recorded("never-ready"))
    assert found.outcome == "error"
    assert found.why.startswith("not ready within 1 s")


def test_aborted_before_it_idled_says_why():
    """The same without a load."""
    found = judged(recorded("never-ready"), steps=())
    assert found.outcome == "error"
    assert found.why.startswith("not ready within 1 s")


def test_record_that_stops_is_an_error():
    found = judged([event for event in recorded("healthy") if event["event"] != "end"])
    assert found.outcome == "error"
