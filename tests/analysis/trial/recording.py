"""Recorded trials, and how they are judged."""

from __future__ import annotations

import json
from pathlib import Path

from runner.analysis.trial import trial
from runner.kinds.sources import fields
from runner.records.steps import LoadStep, StepPlan
from runner.spec.health import parse_rule
from tests.events import reading

RECORDED = Path(__file__).with_name("recorded")
FACTS = {"cgroup.version": 1, "cgroup.mounts": {"memory": "/sys/fs/cgroup/memory"}}
LOAD = LoadStep(url="http://127.0.0.1:1/", connections=4, duration_s=2, threads=1, timeout_s=1)
STEP = StepPlan(0, "4", 4, "wrk", LOAD)


def recorded(name: str, change=None) -> list[dict]:
    """Events of a real trial; `change` may edit each, or leave one out by giving None."""
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return [e for e in map(change, events) if e is not None] if change else events


def judged(events, *, steps=(STEP,), healthy=(), guards=(), facts=FACTS, emulated=False):
    plan = trial.TrialPlan("all-r1-a1", "board", {}, 1, 1, steps, emulated=emulated)
    return trial.trial(
        reading(events),
        plan,
        fields(facts),
        [parse_rule(text) for text in healthy],
        [parse_rule(text) for text in guards],
    )


def ended(**values):
    """Change what the step's end says."""

    def change(event):
        return {**event, **values} if event["event"] == "step_ended" else event

    return change


def failed(step) -> dict[str, str]:
    return {rule.rule: rule.why or rule.actual for rule in step.rules if not rule.held}
