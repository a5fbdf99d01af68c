"""Events of a trial → its steps with numbers.

A number is a step's summary of one quantity: a gauge gives its maximum
(`procfs.rss`), median and last value (`.median`, `.last`); a counter gives its
increase over the step. What could not be read is None with a reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from runner.analysis.trial import conditions, measurement, steady
from runner.analysis.trial.clients import count_unserved
from runner.analysis.trial.frames import increase, rise
from runner.kinds import generators
from runner.kinds.generators.interface import Output
from runner.records.trial_events import (
    IdleEnded,
    MeasureStarted,
    StepEnded,
    StepStarted,
    WorkloadExited,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import RuleResult
    from runner.analysis.trial.frames import Column, Frame, Reading, Rise
    from runner.kinds.sources.interface import Field
    from runner.records.steps import StepPlan

Number = float | int | str | None

UNKNOWN: Final = ("requests", "rps", "good", "good_rps", "errors", "error_ratio", "unanswered")
LOOKED_AT: Final = (*steady.WATCHED, "board.throttled", "cgroup.oom_kills")
"""What is looked at row by row, beside the summary of it."""
# a generator may end before the death that ended it is noticed
NOTICED_S: Final = 0.5


@dataclass(frozen=True)
class StepData:
    """One step's numbers before any rule has judged them."""

    plan: StepPlan
    start_s: float
    end_s: float
    numbers: dict[str, Number] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    error: str = ""
    """The generator's own failure."""
    alive: bool = True
    """The workload lived through the step."""
    cut: str = ""
    """Why the step was cut short on the workload's side; empty when it was not."""
    broken: tuple[RuleResult, ...] = ()
    """Rules of the measurement itself that do not hold: it says nothing then."""
    died: str = ""
    """How the workload ended without being asked to, and what it said."""
    steady: tuple[str, ...] | None = None
    """What was not in a steady state; None where that could not be judged."""
    late_s: float | None = None
    """The limit of a program that was stopped at it, where that is its result."""


def steps(
    reading: Reading, plans: Sequence[StepPlan], fields: Mapping[str, Field]
) -> tuple[StepData, ...]:
    """Numbers of every step that was begun, in order."""
    absent, time_of = reading.absent, reading.time_of
    begun: dict[int, float] = {}
    entered: dict[int, float] = {}
    found: list[StepData] = []
    by_index = {plan.index: plan for plan in plans}
    died = [time_of(e) for e in reading.every(WorkloadExited) if not e.expected]
    starts = [time_of(e) for e in reading.every(StepStarted)]
    for event in reading.events:
        if isinstance(event, StepStarted | MeasureStarted):
            # a warm-up before the measurement belongs to the step but not to its numbers
            begun[event.index] = time_of(event)
            entered.setdefault(event.index, time_of(event))
        elif isinstance(event, StepEnded):
            start, end = begun.pop(event.index, 0.0), time_of(event)
            # a death in the warm-up is the step's too, and one seen just after its end, but
            # not one under the next step
            until = min((t for t in starts if t >= end), default=math.inf)
            begin = entered.get(event.index, start)
            alive = not any(begin <= t <= min(end + NOTICED_S, until) for t in died)
            plan = by_index[event.index]
            frame = reading.frame.window(start, end)
            frame.keep(fields[name].column for name in LOOKED_AT if name in fields)
            numbers, why, error = _numbers(plan, event, frame, fields, absent)
            first = reading.of_step(StepStarted, event.index)
            error = conditions.judge_generator(plan, first, numbers, error)
            conditions.add(reading, event, (begin, end), frame, fields, numbers, why)
            invalid = measurement.broken(plan, event, (start - begin, end - start), numbers, why)
            # an order to stop is nobody's fault; anything else that cuts a step is the workload's
            cut = "" if event.cut == "stopped" else event.cut
            # a log of requests has their times by the wall clock
            log = None if numbers.get("host.clock_changed") else event.log
            settled = None
            if plan.load is None or not plan.load.shaped:  # else it is not to be steady
                settled = steady.judge(frame, (start, end), fields, steady.per_second(log))
            found.append(
                StepData(
                    plan,
                    start,
                    end,
                    numbers,
                    why,
                    error,
                    alive,
                    cut,
                    invalid,
                    "" if alive else death(reading.life(event.index)),
                    settled,
                )
            )
    end = float(reading.frame.t[-1]) if len(reading.frame.t) else 0.0
    for index, start in begun.items():
        # a workload that died is the step's result; anything else that cut it is a fault
        seen: dict[str, Number] = {}
        unseen: dict[str, str] = {}
        summarise(reading.frame.window(start, end), fields, absent, seen, unseen)
        error = "" if died else "the step did not end"
        plan = by_index[index]
        found.append(StepData(plan, start, max(start, end), seen, unseen, error, not died))
    return tuple(found)


def death(reading: Reading) -> str:
    """Say how the workload ended without being asked to; empty where it did not."""
    ended = next((e for e in reversed(reading.every(WorkloadExited)) if not e.expected), None)
    if ended is None:
        return ""
    how = f"ended by signal {ended.signal}" if ended.code is None else f"exit {ended.code}"
    return f"the workload exited: {how}" + (f"; {ended.said}" if ended.said else "")


def _numbers(
    plan: StepPlan,
    event: StepEnded,
    frame: Frame,
    fields: Mapping[str, Field],
    absent: Mapping[str, str],
) -> tuple[dict[str, Number], dict[str, str], str]:
    numbers: dict[str, Number] = {}
    why: dict[str, str] = {}
    summarise(frame, fields, absent, numbers, why)
    exact_counters(event, frame, fields, numbers, why)
    error = ""
    if plan.generator is not None and plan.load is not None:
        load = generators.read(plan.generator, Output.of(event), plan.load)
        error = load.error
        numbers |= {f"load.{name}": value for name, value in load.numbers.items()}
        numbers |= {f"{plan.generator}.{name}": value for name, value in load.own.items()}
        for name, text in load.why.items():
            if name in load.own:
                why[f"{plan.generator}.{name}"] = text
            if name in load.numbers or name not in load.own:
                why[f"load.{name}"] = text
        if error:
            # what a failed generator would have counted is unknown, and not 0
            for name in UNKNOWN:
                numbers[f"load.{name}"], why[f"load.{name}"] = None, error
        else:
            count_unserved(numbers, why, plan.load.timeout_s)
    numbers["load.connections"] = plan.connections
    seen = event.max_established
    numbers["load.established"] = seen
    if event.waiting is not None and plan.load is None:
        # of generators on other hosts: seen at the server's end
        numbers["load.unanswered"] = event.waiting
    if seen is None:
        why["load.established"] = absent.get("net.sockets", "not counted on the host")
    wall, cpu = event.wall_s, event.cpu_s
    numbers["load.cpu"] = numbers["load.cpu_s"] = None
    if wall and cpu is not None:
        numbers["load.cpu"], numbers["load.cpu_s"] = cpu / wall, cpu
    else:
        why["load.cpu"] = why["load.cpu_s"] = "the generator's CPU time was not recorded"
    return numbers, why, error


def summarise(
    frame: Frame,
    fields: Mapping[str, Field],
    absent: Mapping[str, str],
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Add one number (and its variants) per field of the sources."""
    gauges: dict[str, dict[str, float]] = {}
    counted = {spec.column for spec in fields.values() if spec.kind == "counter"}
    gauged = {spec.column for spec in fields.values() if spec.kind != "counter"}
    for column, values in frame.each(spec.column for spec in fields.values()):
        if column in counted:
            frame.rises[column] = rise(values)
        if column in gauged and len(values):
            gauges[column] = _gauge(values)
    for name, spec in fields.items():
        if spec.kind == "counter":
            rose = frame.rise(spec.column).increase
            numbers[name] = None if rose is None else rose * spec.scale
        elif spec.column in gauges:
            for variant, value in gauges[spec.column].items():
                numbers[f"{name}{variant}"] = value * spec.scale
        else:
            numbers[name] = None
        if numbers[name] is None:
            why[name] = _reason(spec, frame, absent)


def _gauge(values: Column) -> dict[str, float]:
    """Give the numbers of a gauge by what stands after its name."""
    return {
        "": float(values.max()),
        ".mean": float(values.mean()),
        ".median": float(np.median(values)),
        ".min": float(values.min()),
        ".last": float(values[-1]),
    }


def _reason(spec: Field, frame: Frame, absent: Mapping[str, str]) -> str:
    """Say why a column gives no number in a step."""
    column = spec.column
    source = next((key for key in absent if f"{column}.".startswith(f"{key}.")), None)
    if source is not None:
        return absent[source]
    if frame.columns and column not in frame.columns:
        return "this run did not sample it"  # made before the source was known
    if spec.empty and len(frame.t):
        return spec.empty
    return "fewer samples than it needs in this step"


def exact_counters(
    event: StepEnded | IdleEnded,
    frame: Frame,
    fields: Mapping[str, Field],
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Prefer counters read at the step's very ends to those of the nearest samples alone.

    The samples between them say whether a counter was put back to zero meanwhile.
    """
    first, last = event.at_start or {}, event.at_end or {}
    for name, spec in fields.items():
        low, high = first.get(spec.column), last.get(spec.column)
        if spec.kind == "counter" and low is not None and high is not None:
            numbers[name] = _rise(low, frame.rise(spec.column), high) * spec.scale
            why.pop(name, None)


def _rise(low: float, seen: Rise, high: float) -> float:
    """Increase between two ends; where the counter fell between them, by all that is known."""
    within = seen.increase or 0.0
    if high >= low and (seen.count < 2 or math.isclose(within, seen.last - seen.first)):
        return high - low
    if not seen.count:
        return increase(np.array([low, high])) or 0.0
    # a sample may have been taken after the counters at the end, never before those at the start
    return (increase(np.array([low, seen.first])) or 0.0) + within + max(0.0, high - seen.last)
