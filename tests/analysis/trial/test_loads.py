"""A load from other hosts, judged with the server's record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.analysis.trial import trial
from runner.analysis.trial.loads import LoadPart, with_loads
from runner.analysis.trial.steps import StepData
from runner.kinds.sources import fields
from runner.records.steps import StepPlan
from runner.spec.health import parse_rule
from tests.analysis.trial.recording import FACTS, STEP, ended, recorded
from tests.events import reading


def found(*changes, gone: bool = False):
    """The recorded trial as the server's, its own generator's events as those of load hosts."""
    plan = trial.TrialPlan(
        "all-r1-a1", "board", {}, 1, 1, (StepPlan(0, "4", 8),),
        loads=tuple(
            LoadPart(f"load{n}", (STEP,), None if gone else reading(recorded("healthy", change)))
            for n, change in enumerate(changes)
        ),
    )  # fmt: skip
    server = reading(recorded("healthy", ended(stdout="", exit=None, cpu_s=None)))
    rules = [parse_rule("load.error_ratio <= 0.001")]
    return trial.trial(server, plan, fields(FACTS), rules, [parse_rule("load.cpu <= 85%")])


def same(event):
    return event


def late(event):
    return {**event, "late_s": 1.2} if event["event"] == "step_started" else event


def test_two_hosts_add_up():
    one, both = found(same).steps[0].numbers, found(same, same).steps[0].numbers
    assert both["load.requests"] == 2 * one["load.requests"]
    assert both["load.established"] == one["load.established"]  # counted on the server
    assert both["load.hosts"] == 2
    assert both["load.cpu"] == pytest.approx(one["load.cpu"])


@pytest.mark.parametrize(
    ("changes", "gone", "why"),
    [
        ((same, late), False, "load1: began 1.2 s late"),
        ((same, ended(exit=1, stdout="", stderr="oops")), False, "load1: wrk exited 1: oops"),
        ((same,), True, "no record of this step"),
    ],
)
def test_a_host_that_did_not_load_makes_it_invalid(changes, gone, why):
    trial = found(*changes, gone=gone)
    assert trial.outcome == "invalid"
    assert any(why in rule.why or why in rule.actual for rule in trial.guards)


def test_the_busiest_generator_is_guarded():
    trial = found(same, ended(cpu_s=0.95, wall_s=1.0))
    assert trial.outcome == "invalid"
    assert trial.steps[0].numbers["load.cpu"] == pytest.approx(0.95)


@pytest.mark.parametrize(("shape", "judged"), [((), True), (((0.0, 1.0), (2.0, 9.0)), False)])
def test_a_load_whose_rate_is_to_change_is_not_to_be_steady(shape, judged):
    """The server's host does not know what was asked of it: the load hosts' plans say so."""
    part = replace(STEP, load=replace(STEP.load, shape=shape))
    data = StepData(StepPlan(0, "4", 8), 0.0, 2.0, steady=("procfs.rss rises",))
    found = with_loads(data, [LoadPart("load0", (part,), reading(recorded("healthy")))])
    assert (found.steady is not None) == judged
