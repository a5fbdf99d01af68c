"""Events of one trial → a Trial with judged steps.

Outcome of a step, first that applies: `error` (the workload could not be run),
`invalid` (a guard broke, or the generator failed while the workload lived: run
again), `unhealthy` (a health rule does not hold or the workload died), `healthy`.
A generator that fails because its server died says nothing of the generator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from runner.analysis.model import RuleResult, Series, Step, Trial
from runner.analysis.trial import atlas, conditions, energy, lifecycle, measurement, outputs, steady
from runner.analysis.trial.frames import LIMIT, Frame, Reading, thin
from runner.analysis.trial.loads import LoadPart, with_loads
from runner.analysis.trial.rules import judge
from runner.analysis.trial.steps import Number, StepData, death, exact_counters, steps, summarise
from runner.records.host_events import End
from runner.records.steps import StepPlan
from runner.records.trial_events import (
    Aborted,
    Failed,
    IdleEnded,
    IdleStarted,
    Prepared,
    Ready,
    Sampler,
    StepStarted,
    WorkloadExited,
    WorkloadStarted,
)
from runner.spec.health import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.trial.rules import Number as Judged
    from runner.kinds.sources.interface import Field
    from runner.records.outcome import Outcome
    from runner.spec.health import Rule
    from runner.spec.metrics import Metric

SERIES: Final = ("procfs.rss", "cgroup.usage", "cgroup.limit", "board.temperature")
SERIES_POINTS: Final = 600
TIMED: Final = ("load.cpu", "host.cpu", "host.steal", "host.others", "host.load", "host.load1")
"""Subjects of guards that are shares of time."""
OUTCOMES: Final[tuple[Outcome, ...]] = ("error", "invalid", "unhealthy", "healthy")


@dataclass(frozen=True)
class TrialPlan:
    """What was asked of one trial."""

    id: str
    host: str
    treatment: Mapping[str, str]
    repetition: int
    attempt: int
    steps: tuple[StepPlan, ...] = ()
    extra: Mapping[str, int | float | str | bool] | None = None
    """Numbers known without the host: build size and id, the search's level."""
    loads: tuple[LoadPart, ...] = ()
    """Hosts that the load came from, where they were others."""
    boot: str = ""
    session: str = ""
    """The boot of the host, and which uninterrupted hold of it; empty in older records."""
    build: str = ""
    """Its layout, where there are several."""
    emulated: bool = False
    """Times of an emulated host say nothing: guards on them are not judged."""


def trial(
    reading: Reading,
    plan: TrialPlan,
    fields: Mapping[str, Field],
    healthy: Sequence[Rule],
    guards: Sequence[Rule],
    metrics: Mapping[str, Metric] | None = None,
) -> Trial:
    """Judge one trial from its events. Pure.

    `metrics` say from when on an idle workload counts (their latest `after`).
    """
    data = list(steps(reading, plan.steps, fields))
    if plan.loads:
        data = [with_loads(item, plan.loads) for item in data]
    if not plan.steps:
        data.append(_whole(reading, fields, _after_s(reading, metrics or {})))
    asked = named(metrics or {}, (*healthy, *guards))
    judged = tuple(
        _judge(
            _energy(
                _printed(item, reading, metrics or {}, asked, (*healthy, *guards)),
                reading,
                fields,
                asked,
            ),
            plan,
            healthy,
            guards,
        )
        for item in data
    )
    judged = tuple(
        replace(step, atlas=atlas.of_step(reading.events, step.index)) for step in judged
    )
    outcome, why = _outcome(reading, judged, plan)
    if outcome == "error" and not plan.steps:
        # there was no step: what was seen until then is nobody's health
        judged = tuple(replace(step, outcome="error") for step in judged)
    sampler, started = reading.last(Sampler), reading.last(WorkloadStarted)
    return Trial(
        id=plan.id,
        host=plan.host,
        treatment=dict(plan.treatment),
        repetition=plan.repetition,
        attempt=plan.attempt,
        outcome=outcome,
        why=why,
        started_at=reading.origin,
        steps=judged,
        guards=(
            *(rule for step in judged for rule in step.rules if rule.held is False),
            # what was not seen guarded nothing, and that is said once for each guard
            *{rule.rule: rule for step in judged for rule in step.unguarded}.values(),
        ),
        sampler=watching(sampler) if sampler else {},
        limit_bytes=_limit(reading.frame),
        kept_from=(started.kept_from if started else None) or "",
        boot=plan.boot,
        build=plan.build,
        session=plan.session,
    )


def named(metrics: Mapping[str, Metric], rules: Sequence[Rule]) -> tuple[str, ...]:
    """Give every number that metrics and rules name: nothing else is read of what was printed."""
    found = [metric.number for metric in metrics.values() if metric.source is not None]
    found += [metric.as_ for metric in metrics.values() if metric.as_ is not None]
    for rule in rules:
        found.append(rule.subject)
        if isinstance(rule.value, Reference):
            found.append(rule.value.name)
    return tuple(dict.fromkeys(found))


def _printed(
    data: StepData,
    reading: Reading,
    metrics: Mapping[str, Metric],
    asked: tuple[str, ...],
    rules: Sequence[Rule],
) -> StepData:
    """Add what the workload printed and answered."""
    life = reading.life(data.plan.index)
    found = outputs.of_step(
        life,
        data.start_s,
        data.end_s,
        index=data.plan.index,
        patterns=(
            *(
                (metric.source, metric.pattern)
                for metric in metrics.values()
                if metric.source is not None and metric.pattern is not None and not metric.many
            ),
            *((r.subject, str(r.value)) for r in rules if r.op in ("matches", "lacks")),
        ),
        asked=asked,
        many=tuple(one for metric in metrics.values() if (one := metric.asked) is not None),
    )
    lifecycle.workload(life, found.numbers, found.why)
    lifecycle.used(life, found.numbers, found.why)
    lifecycle.prepared(life, found.numbers, found.why)
    return replace(data, numbers={**found.numbers, **data.numbers}, why={**found.why, **data.why})


def _energy(
    data: StepData, reading: Reading, fields: Mapping[str, Field], asked: tuple[str, ...]
) -> StepData:
    """Add what the step drew, where somebody asks."""
    if not any(name.startswith("energy.") for name in asked):
        return data
    numbers, why = dict(data.numbers), dict(data.why)
    frame = reading.frame.window(data.start_s, data.end_s)
    energy.add(fields, frame, data.end_s - data.start_s, numbers, why)
    return replace(data, numbers=numbers, why=why)


def _after_s(reading: Reading, metrics: Mapping[str, Metric]) -> float:
    """Seconds into the trial from which an idle workload counts."""
    after = max((metric.after.seconds for metric in metrics.values() if metric.after), default=0.0)
    ends = [reading.time_of(e) for e in (reading.last(Ready), reading.last(Prepared)) if e]
    return max(ends, default=0.0) + after


def _whole(reading: Reading, fields: Mapping[str, Field], after_s: float) -> StepData:
    """Take a trial without load as one step, from `after_s` on."""
    last = float(reading.frame.t[-1]) if len(reading.frame.t) else 0.0
    frame = reading.frame.window(min(after_s, last), last)
    numbers: dict[str, Number] = {}
    why: dict[str, str] = {}
    summarise(frame, fields, reading.absent, numbers, why)
    for event in reading.events:
        if isinstance(event, IdleEnded):
            exact_counters(event, frame, fields, numbers, why)
            conditions.add(reading, event, (after_s, last), frame, fields, numbers, why)
        # of a group made for this trial: exact, however few samples a short program leaves
        if isinstance(event, WorkloadExited) and event.oom_kills is not None:
            numbers["cgroup.oom_kills"] = float(event.oom_kills)
            why.pop("cgroup.oom_kills", None)
    start, end = (float(frame.t[0]), float(frame.t[-1])) if len(frame.t) else (0.0, last)
    died = any(not e.expected for e in reading.every(WorkloadExited))
    plan, settled = StepPlan(0, "idle", None), steady.judge(frame, (start, end), fields)
    said = death(reading) if died else ""
    return StepData(
        plan, start, end, numbers, why, alive=not died, died=said, steady=settled,
        late_s=lifecycle.limit(reading),
    )  # fmt: skip


def _judge(
    data: StepData, plan: TrialPlan, healthy: Sequence[Rule], guards: Sequence[Rule]
) -> Step:
    numbers: dict[str, Judged] = {**data.numbers, **(plan.extra or {})}
    numbers["workload.alive"], numbers["workload.dead"] = data.alive, not data.alive
    _derived(numbers)
    counted = [guard for guard in guards if not (plan.emulated and guard.subject in TIMED)]
    looked = judge(counted, numbers, data.why)
    broken = tuple(rule for rule in looked if rule.held is False)
    # a guard on a sensor that the board lacks is not a reason to run without end; it is said
    unguarded = tuple(rule for rule in looked if rule.held is None)
    rules = judge(healthy, numbers, data.why)
    sound = data.alive and not data.cut
    broken = (*data.broken, *broken)
    if data.late_s is not None and data.alive:
        rules = (measurement.late(data.late_s), *rules)
    served = measurement.no_good_answer(numbers, loaded=data.plan.generator is not None)
    if served is not None and not data.error:
        rules = (served, *rules)
    outcome: Outcome
    if data.error and sound:
        outcome = "invalid"
        broken = (RuleResult("the load generator works", False, data.error), *broken)
    elif broken:
        outcome = "invalid"
    elif not sound or any(not rule.held for rule in rules):
        outcome = "unhealthy"
    else:
        outcome = "healthy"
    if not data.alive and not any(rule.rule == "workload.alive" for rule in rules):
        why = data.cut or data.died or "the workload exited"
        rules = (*rules, RuleResult("workload.alive", False, "false", why))
    elif data.cut and data.alive:
        rules = (*rules, RuleResult("the step runs to its end", False, "cut short", data.cut))
    shown = {k: (int(v) if isinstance(v, bool) else v) for k, v in numbers.items()}
    return Step(
        data.plan.index,
        data.plan.name,
        data.plan.connections,
        data.start_s,
        data.end_s,
        outcome,
        (*broken, *rules),
        shown,
        dict(data.why),
        steady=data.steady,
        unguarded=unguarded,
    )


def _derived(numbers: dict[str, Judged]) -> None:
    """Add numbers that are differences of others."""
    everywhere, inside = numbers.get("host.oom_kills"), numbers.get("cgroup.oom_kills") or 0
    if isinstance(everywhere, int | float) and isinstance(inside, int | float):
        numbers["host.oom_kills_outside_cgroup"] = max(0, everywhere - inside)


def _outcome(  # noqa: PLR0911 - one return per way a trial ends
    reading: Reading, judged: Sequence[Step], plan: TrialPlan
) -> tuple[Outcome, str]:
    end, problem, aborted = reading.last(End), reading.last(Failed), reading.last(Aborted)
    if problem is not None:
        return "error", problem.message or problem.code
    if end is None:
        return "error", "the record stops before the trial's end"
    if not end.ok:
        return "error", (end.error.message if end.error else "") or "the trial was stopped"
    begun = reading.last(StepStarted) or reading.last(IdleStarted)
    if aborted is not None and begun is None and aborted.limit_s is None:
        return "error", aborted.why or "the trial was aborted"
    if not judged:
        return "error", (aborted.why if aborted else "") or "no step was run"
    worst = min((step.outcome for step in judged), key=OUTCOMES.index)
    if len(judged) < len(plan.steps):
        why = (aborted.why if aborted else "") or "not every step was run"
        return (worst if worst != "healthy" else "unhealthy"), why
    first = next((step for step in judged if step.outcome == worst), judged[0])
    failed = [f"{rule.rule} (was {rule.seen})" for rule in first.rules if not rule.held]
    return worst, "; ".join(failed) if worst != "healthy" else ""


def watching(said: Sampler) -> dict[str, float | int]:
    """Give what watching cost, as far as the record says."""
    found = msgspec.structs.asdict(said)
    return {name: value for name, value in found.items() if value is not None and name != "at"}


def _limit(frame: Frame) -> int | None:
    values = frame.values(LIMIT)
    return int(values[-1]) if len(values) else None


def series(
    reading: Reading, trial_id: str, fields: Mapping[str, Field], asked: Sequence[str] = ()
) -> tuple[Series, ...]:
    """Lines for the figures, thinned so that peaks stay; `asked` are further sources.

    A counter is drawn as its increase since the first sample.
    """
    found = []
    names = tuple(dict.fromkeys((*SERIES, *asked)))
    reading.frame.keep(fields[name].column for name in names if name in fields)
    for name in names:
        spec = fields.get(name)
        column = None if spec is None else reading.frame.columns.get(spec.column)
        if spec is None or column is None:
            continue
        values = column * spec.scale
        if spec.kind == "counter" and np.isfinite(values).any():
            values = values - values[np.isfinite(values)][0]
        points = list(thin(reading.frame.t, values, SERIES_POINTS))
        if any(value is not None for _, value in points):
            found.append(
                Series(
                    trial_id,
                    name,
                    spec.unit,
                    tuple(round(t, 3) for t, _ in points),
                    tuple(value for _, value in points),
                )
            )
    return tuple(found)
