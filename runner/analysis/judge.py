"""The one way from a record to outcomes: what is live, resumed, reported, compared or verified.

A trial is judged by the record of it alone: what run.json planned, what the events say,
the facts of its host and the spec. So it comes out the same while the run goes on, when a
run is gone on with, and years later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from runner.analysis.claims.claims import claim_results
from runner.analysis.claims.estimates import estimates
from runner.analysis.claims.must import Varied
from runner.analysis.claims.rows import outermost
from runner.analysis.model import Analysis
from runner.analysis.runs.searches import summarised
from runner.analysis.runs.spreads import spreads
from runner.analysis.trial import arrivals, clock, conditions, frames, outputs, trial
from runner.analysis.trial.loads import LoadPart
from runner.errors import RecordError
from runner.kinds.sources import fields
from runner.planning.facts import SYSCTL
from runner.planning.ids import treatment_id
from runner.records.facts import emulated
from runner.records.manifest import Times
from runner.spec.treatments import treatments, with_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.analysis.claims.rows import Outermost
    from runner.analysis.model import Estimate, Series, Trial
    from runner.analysis.trial.frames import Reading
    from runner.analysis.trial.packed import Samples
    from runner.records.changes import CellChange
    from runner.records.events import AnyEvent
    from runner.records.manifest import LoadHost, Manifest, Planned
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment


class Record(Protocol):
    """What is read of a run: its manifest, facts, changes and events."""

    @property
    def manifest(self) -> Manifest: ...  # noqa: D102

    @property
    def facts(self) -> Mapping[str, Mapping[str, Json]]: ...  # noqa: D102

    @property
    def changes(self) -> Sequence[CellChange]: ...  # noqa: D102

    def iter_events(self, trial: str) -> Iterable[AnyEvent]:
        """Give the events of a trial; RecordError where there are none."""

    def samples(self, trial: str) -> Samples | None:
        """Give the samples of a trial that are kept by column; None where its events are lines."""


def reading_of(record: Record, trial: str) -> Reading:
    """Read a trial, whichever way its samples are kept; RecordError where it is not here."""
    samples = record.samples(trial)
    return (
        frames.read(record.iter_events(trial)) if samples is None else frames.read_packed(samples)
    )


@dataclass(frozen=True)
class Looked:
    """One trial by its record: judged, its lines over time, and what is to be noted of it."""

    trial: Trial
    series: tuple[Series, ...]
    notes: tuple[str, ...]


def look(record: Record, experiment: Experiment, trial_id: str) -> Looked:
    """Read one trial and judge it; RecordError where it is not here."""
    reading = reading_of(record, trial_id)
    plan = record.manifest.trials[trial_id]
    own = record.facts.get(plan.host, {})
    shown = [name for f in experiment.report.figures if f.over == "time" for name in f.show]
    lines = [
        *trial.series(reading, trial_id, fields(own, experiment.families), shown),
        *outputs.series(reading, trial_id, experiment.metrics),
        *arrivals.series(
            reading, trial_id, plan.steps, tuple(_load_part(part, record) for part in plan.loads)
        ),
    ]
    notes = [f"{trial_id}: {said}" for said in conditions.skipped(reading)]
    judged = _judged(record, experiment, trial_id, reading)
    return Looked(judged, tuple(lines), tuple(notes))


def judge(
    record: Record,
    experiment: Experiment,
    each: Callable[[Record, Experiment, str], Looked] = look,
) -> Analysis:
    """Judge every trial of the record, estimate every metric, judge every claim.

    `each` looks at one trial: whoever has looked at some already gives those again.
    """
    found: list[Trial] = []
    lines: list[Series] = []
    notes: list[str] = []
    for trial_id in record.manifest.trials:
        try:
            one = each(record, experiment, trial_id)
        except RecordError as error:
            notes.append(f"{trial_id}: {error.message}")
            continue
        found.append(one.trial)
        lines += one.series
        notes += one.notes
    notes += _remarks(experiment, server_facts(record, experiment), found)
    return _concluded(Analysis(tuple(found), series=tuple(lines), notes=tuple(notes)),
                      record, experiment)  # fmt: skip


def judge_again(stored: Analysis, record: Record, experiment: Experiment) -> Analysis:
    """Judge the claims anew by the trials of an analysis: the events are not all here."""
    return _concluded(stored, record, experiment)


def judge_trial(record: Record, experiment: Experiment, trial_id: str) -> Trial:
    """Judge one trial by its record; RecordError where there is none."""
    return _judged(record, experiment, trial_id, reading_of(record, trial_id))


def measured(
    record: Record, experiment: Experiment, trials: Sequence[Trial]
) -> tuple[Estimate, ...]:
    """Estimate every metric over trials that were judged, and the searches of the record."""
    return _measured(record, experiment, trials, outermost(experiment))


def _measured(
    record: Record, experiment: Experiment, trials: Sequence[Trial], level: Outermost
) -> tuple[Estimate, ...]:
    found = estimates(experiment.metrics, trials, record.manifest.search, level)
    # in the order of the spec, never in that of a shuffled run
    names = list(experiment.metrics)
    ranks = [(name, factor.names()) for name, factor in experiment.factors.items()]

    def place(one: Estimate) -> list[int]:
        levels = ((names_, one.treatment.get(name, "")) for name, names_ in ranks)
        return [names.index(one.metric), *(ns.index(lv) if lv in ns else -1 for ns, lv in levels)]

    return tuple(sorted(found, key=place))


def _concluded(trials: Analysis, record: Record, experiment: Experiment) -> Analysis:
    found = measured(record, experiment, trials.trials)
    return replace(
        trials,
        estimates=found,
        claims=claim_results(experiment, found, trials.trials, observed(record, experiment)),
        search=summarised(record.manifest.search),
        spreads=spreads(_measured(record, experiment, trials.trials, "")),
    )


def _judged(record: Record, experiment: Experiment, trial_id: str, reading: Reading) -> Trial:
    plan = record.manifest.trials[trial_id]
    facts: Mapping[str, Json] = record.facts.get(plan.host, {})
    return trial.trial(
        reading,
        trial_plan(trial_id, plan, record, facts),
        fields(facts, experiment.families),
        experiment.healthy,
        experiment.guards,
        metrics=experiment.metrics,
    )


def trial_plan(
    trial_id: str, plan: Planned, record: Record, facts: Mapping[str, Json]
) -> trial.TrialPlan:
    """Read a trial's plan back from run.json, with the records of its load hosts.

    `facts` are those of the trial's host.
    """
    return trial.TrialPlan(
        id=trial_id,
        host=plan.host,
        treatment=plan.treatment,
        repetition=plan.repetition,
        attempt=plan.attempt,
        boot=plan.boot_of_block or plan.boot,
        build=plan.build,
        session=plan.session,
        steps=plan.steps,
        extra=plan.extra,
        loads=tuple(_load_part(part, record) for part in plan.loads),
        emulated=emulated(facts),
    )


def _load_part(part: LoadHost, record: Record) -> LoadPart:
    """Read what one load host did; without a record where it did nothing."""
    try:
        reading = reading_of(record, part.id)
    except RecordError:
        reading = None
    return LoadPart(part.host, part.steps, reading)


def server_facts(record: Record, experiment: Experiment) -> Mapping[str, Json]:
    """Give the facts of the host that the workload ran on; empty where none were read."""
    found: Mapping[str, Json] = record.facts.get(_server(record, experiment)) or {}
    return found


def _server(record: Record, experiment: Experiment) -> str:
    """Name the first board that the run has used; of an old record the host that is in it."""
    facts, left_out = record.facts, record.manifest.left_out
    used = [one for one in experiment.hosts.server if facts.get(one) and one not in left_out]
    return next(
        iter([*used, *(one for one in experiment.hosts.server if facts.get(one)), *facts]), ""
    )


def observed(record: Record, experiment: Experiment) -> dict[str, Json | Varied]:
    """Facts that claims may demand, as in force during the trials: a Varied where those differ.

    The host's, the kernel parameters and limits that were set, what the program was built with.
    """
    times = record.manifest.environment
    own = (times or {}).get(_server(record, experiment), Times()).treatments
    during = dict(server_facts(record, experiment))
    if times is None:
        # facts of an old record are from before the changes: what was set was in force
        during |= {
            f"{SYSCTL}{change.sysctl}": change.after
            for change in record.changes
            if change.phase == "converge" and change.sysctl is not None
        }
    found: list[tuple[Mapping[str, str], dict[str, Json]]] = []
    for levels in treatments(experiment) or ({},):
        name = treatment_id(levels)
        found.append(
            (levels, {**during, **own.get(name, {}), **_asked(record, experiment, levels)})
        )
    return {name: _one(name, found) for name in {name: None for _, said in found for name in said}}


def _asked(record: Record, experiment: Experiment, levels: Mapping[str, str]) -> dict[str, Json]:
    """Give what a treatment asked for, and what its program was built with."""
    treated = with_levels(experiment, levels)
    found: dict[str, Json] = {}
    builds = record.manifest.builds
    made = builds.get(treatment_id(levels)) or next(reversed(list(builds.values())), None)
    if made is not None:
        found["build.go"] = made.toolchain or None
    elif treated.build is not None and treated.build.go is not None:
        found["build.go"] = treated.build.go
    if treated.workload is not None:
        found["runtime"] = "go" if treated.build and not treated.build.command else None
        if treated.workload.cgroup is not None:
            for name, value in treated.workload.cgroup.knobs().items():
                found[f"cgroup.{name}"] = value
    return found


def _one(name: str, found: Sequence[tuple[Mapping[str, str], Mapping[str, Json]]]) -> Json | Varied:
    values = [(levels, said.get(name)) for levels, said in found]
    same = all(value == values[0][1] for _, value in values)
    return values[0][1] if same else Varied(tuple(values))


def _remarks(
    experiment: Experiment, facts: Mapping[str, Json], trials: Sequence[Trial]
) -> list[str]:
    """Say which guards were not judged, and where the clock was not what was declared."""
    found: list[str] = []
    left = [rule.text for rule in experiment.guards if rule.subject in trial.TIMED]
    if left and emulated(facts):
        found.append(f"Not judged on an emulated host, whose times say nothing: {', '.join(left)}.")
    governor, bounds = experiment.system.cpu_governor, experiment.system.cpu_frequency
    asked = clock.declared(
        governor.root if governor else None,
        (bounds.root.min, bounds.root.max) if bounds else None,
        facts,
    )
    return [*found, *clock.remarks(asked, trials)]
