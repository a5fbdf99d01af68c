"""A load that came from other hosts: its steps, merged into those of the server's record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.trial import conditions, measurement
from runner.analysis.trial.clients import count_unserved
from runner.kinds import generators
from runner.kinds.generators.interface import LoadNumbers, Output
from runner.kinds.generators.merge import merged
from runner.records.trial_events import Failed, StepEnded, StepStarted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.trial.frames import Reading
    from runner.analysis.trial.steps import StepData
    from runner.records.steps import StepPlan

    Number = float | int | str | None

LATE_S: Final = 0.5
"""A host that begins later than this has not loaded the server together with the others."""


@dataclass(frozen=True)
class LoadPart:
    """What one load host was asked, and its record; None where there is none."""

    host: str
    steps: tuple[StepPlan, ...]
    reading: Reading | None


def with_loads(data: StepData, parts: Sequence[LoadPart]) -> StepData:
    """Add the numbers of a step's generators to what the server's host saw of it."""
    found: list[LoadNumbers] = []
    cpus: list[float] = []
    faults: list[str] = []
    local = 0
    # counted at the server for all of them together
    waiting = data.numbers.get("load.unanswered")
    for number, part in enumerate(parts):
        seen = waiting if isinstance(waiting, int) else None
        one, extra, fault = _part(part, data.plan.index, seen if not number or seen is None else 0)
        if fault:
            faults.append(f"{part.host}: {fault}")
        found.append(one)
        if (cpu := extra.get("load.cpu")) is not None:
            cpus.append(float(cpu))
        local += int(extra.get("load.errors.local") or 0)
    load = merged(found, data.plan.connections or 0)
    numbers = dict(data.numbers)
    numbers |= {f"load.{name}": value for name, value in load.numbers.items()}
    why = {**data.why, **{f"load.{name}": text for name, text in load.why.items()}}
    if isinstance(waiting, int) and "unanswered" in load.numbers:
        timeout_s = max(s.load.timeout_s for part in parts for s in part.steps if s.load)
        count_unserved(numbers, why, timeout_s)
    names = {step.generator for part in parts for step in part.steps if step.generator}
    for family in names:
        numbers |= {f"{family}.{name}": value for name, value in load.own.items()}
        why |= {f"{family}.{name}": load.why[name] for name in load.own if name in load.why}
    numbers["load.hosts"] = len(parts)
    numbers["load.errors.local"] = local
    # the busiest one: that is where the load was bounded
    numbers["load.cpu"] = max(cpus) if len(cpus) == len(parts) else None
    if numbers["load.cpu"] is not None:
        why.pop("load.cpu", None)
    asked = [step.load for part in parts for step in part.steps if step.index == data.plan.index]
    # a load whose rate is to change is not to be steady
    steady = None if any(load.shaped for load in asked if load) else data.steady
    error = "; ".join(faults) or data.error
    return replace(data, numbers=numbers, why=why, error=error, steady=steady)


def _part(
    part: LoadPart, index: int, waiting: int | None
) -> tuple[LoadNumbers, dict[str, Number], str]:
    reading = part.reading
    plan = next((step for step in part.steps if step.index == index), None)
    started = reading.of_step(StepStarted, index) if reading else None
    ended = reading.of_step(StepEnded, index) if reading else None
    if plan is None or plan.generator is None or plan.load is None or ended is None:
        said = reading.last(Failed) if reading else None
        fault = (said.message if said else "") or "no record of this step"
        return LoadNumbers(error=fault), {}, fault
    output = Output.of(ended)
    if waiting is not None:
        output = replace(output, waiting=waiting)
    numbers = generators.read(plan.generator, output, plan.load)
    wall, cpu = ended.wall_s, ended.cpu_s
    extra: dict[str, Number] = {"load.cpu": cpu / wall if wall and cpu is not None else None}
    extra["load.behind"] = numbers.numbers.get("behind")
    fault = conditions.judge_generator(plan, started, extra, numbers.error)
    if not fault:
        broken = measurement.broken(plan, ended, (ended.warmup_wall_s or 0.0, 0.0), extra, {})
        fault = "; ".join(f"{rule.rule} (was {rule.actual}: {rule.why})" for rule in broken)
    late = (started.late_s if started else None) or 0.0
    if not fault and late > LATE_S:
        fault = f"began {late:.1f} s late"
    return numbers, extra, fault
