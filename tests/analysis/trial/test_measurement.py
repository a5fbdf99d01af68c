"""Rules of the measurement itself: they hold without a guard in the spec."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.analysis.trial import measurement
from runner.records.trial_events import StepEnded
from tests.analysis.trial.recording import LOAD, STEP, judged, recorded
from tests.events import reading

RAMP = ((0.0, 1.0), (2.0, 9.0))


def clock_set(by_s: float, back_s: float = 0.0):
    """The wall clock jumps in the middle of the step, and perhaps back before its end."""
    events = recorded("healthy")
    begin = next(e["t"] for e in events if e["event"] == "measure_started")
    end = next(e["t"] for e in events if e["event"] == "step_ended")
    first, second = begin + (end - begin) / 3, begin + (end - begin) * 2 / 3

    def moved(event):
        t = event.get("t", 0.0)
        jump = by_s * (t > first) + back_s * (t > second)
        return {**event, "at": event["at"] + jump}

    return [moved(event) for event in events]


@pytest.mark.parametrize("by_s", [-86400.0, 86400.0, 1.5, -0.5])
def test_a_clock_that_was_set_makes_wrk_invalid_without_a_guard(by_s):
    found = judged(clock_set(by_s))
    assert found.outcome == "invalid"
    assert "the clock is not set" in found.why
    assert "wrk measures by it" in found.why
    assert found.steps[0].numbers["load.rps"] is None
    assert found.steps[0].why["load.rps"].startswith("the clock was set")


def test_a_clock_that_was_set_and_set_back_is_seen_too():
    assert judged(clock_set(3600.0, -3600.0)).outcome == "invalid"


def test_a_clock_left_alone_is_none():
    assert judged(clock_set(0.0)).outcome == "healthy"


@pytest.mark.parametrize(("took", "code", "outcome"), [(9.2, 0, "invalid"), (1.1, 0, "healthy"),
                                                        (1.1, 3, "invalid")])  # fmt: skip
def test_a_warmup_that_overruns_or_fails_is_invalid(took, code, outcome):
    def warmed(event):
        if event["event"] != "step_ended":
            return event
        return {**event, "warmup_wall_s": took, "warmup_exit": code}

    step = replace(STEP, warmup_s=1.0)
    found = judged(recorded("healthy", warmed), steps=(step,))
    assert found.outcome == outcome
    if took > 9:
        assert "load.warmup <= 3 s (was" in found.why
        assert "it was to take 1 s" in found.why


def test_a_generator_that_did_not_end_is_named():
    def hung(event):
        if event["event"] != "step_ended":
            return event
        return {**event, "exit": None, "stdout": "", "timed_out": True, "wall_s": 21.0}

    found = judged(recorded("healthy", hung))
    assert found.outcome == "invalid"
    assert "wrk did not end: stopped after 21.0 s" in found.why
    assert found.steps[0].numbers["load.errors"] is None
    assert LOAD.timeout_s == 1


@pytest.mark.parametrize(
    ("shape", "late", "held"),
    [(RAMP, 0.051, False), (RAMP, 0.05, True), (RAMP, None, True), ((), 0.9, True)],
)
def test_a_shape_that_was_not_kept_to_is_invalid(shape, late, held):
    """At one rate it is a number for rules of the spec's: a search looks for where it begins."""
    events = recorded("healthy")
    ended = next(event for event in reading(events).events if isinstance(event, StepEnded))
    plan = replace(STEP, load=replace(LOAD, shape=shape))
    broken = measurement.broken(plan, ended, (0.0, 1.0), {"load.behind": late}, {})
    assert [rule.rule for rule in broken] == ([] if held else ["load.behind <= 5%"])
