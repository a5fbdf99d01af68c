"""A run's record → its analysis; the same after the run and years later, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.analysis.claims.claims import claim_results
from runner.analysis.claims.estimates import estimates
from runner.analysis.model import Analysis
from runner.analysis.runs.searches import summarised
from runner.analysis.trial import clock, conditions, frames, trial
from runner.apply.judging import trial_plan
from runner.errors import RecordError
from runner.kinds.sources import fields
from runner.spec.experiment import Experiment

if TYPE_CHECKING:
    from runner.analysis.model import Series, Trial
    from runner.store.record import RunFolder


def analyse(folder: RunFolder, experiment: Experiment) -> Analysis:
    """Judge every trial of the record, estimate every metric, judge every claim."""
    found: list[Trial] = []
    lines: list[Series] = []
    notes: list[str] = []
    facts = folder.facts
    shown = [name for f in experiment.report.figures if f.over == "time" for name in f.show]
    for trial_id, plan in (folder.manifest.get("trials") or {}).items():
        own = facts.get(plan["host"], {})
        known = fields(own, experiment.families)
        try:
            reading = frames.read(folder.iter_events(trial_id))
        except RecordError as error:
            notes.append(f"{trial_id}: {error.message}")
            continue
        found.append(
            trial.trial(
                reading,
                trial_plan(trial_id, plan, folder, own),
                known,
                experiment.healthy,
                experiment.guards,
                metrics=experiment.metrics,
            )
        )
        lines += trial.series(reading, trial_id, known, shown)
        notes += [f"{trial_id}: {said}" for said in conditions.skipped(reading.events)]
    search = folder.manifest.get("search")
    measured = estimates(experiment.metrics, found, search)
    server: dict[str, Any] = facts.get(experiment.hosts.server[0]) or next(iter(facts.values()), {})
    left = [rule.text for rule in experiment.guards if rule.subject in trial.TIMED]
    if left and server.get("emulated"):
        notes.append(f"Not judged on an emulated host, whose times say nothing: {', '.join(left)}.")
    notes += clock.remarks(_clock(experiment, server), found)
    return Analysis(
        trials=tuple(found),
        estimates=measured,
        claims=claim_results(experiment, measured, found, observed(server, experiment, folder)),
        series=tuple(lines),
        search=summarised(search),
        notes=tuple(notes),
    )


def _clock(experiment: Experiment, facts: dict[str, Any]) -> clock.Declared | None:
    governor, bounds = experiment.system.cpu_governor, experiment.system.cpu_frequency
    return clock.declared(
        governor.root if governor else None,
        (bounds.root.min, bounds.root.max) if bounds else None,
        facts,
    )


def observed(facts: dict[str, Any], experiment: Experiment, folder: RunFolder) -> dict[str, Any]:
    """Facts that claims may demand: the host's, the build's, the limits that were set."""
    found = dict(facts)
    builds = folder.manifest.get("builds") or {}
    for made in builds.values():
        found["build.go"] = made.get("toolchain")
    if experiment.build is not None and experiment.build.go is not None:
        found.setdefault("build.go", experiment.build.go)
    if experiment.workload is not None:
        found["runtime"] = "go" if experiment.build is not None else None
        if experiment.workload.cgroup is not None:
            for name, value in experiment.workload.cgroup.knobs().items():
                found[f"cgroup.{name}"] = value
    for change in folder.changes:
        if change.get("phase") == "converge" and str(change["id"]).startswith("sysctl:"):
            found[str(change["id"]).removeprefix("sysctl:")] = change.get("after")
    return found


def of_record(folder: RunFolder) -> Experiment:
    """Give the experiment that a record holds, with the claims that it was judged with last."""
    judged = folder.manifest.get("judged_with") or {}
    instead = {key: judged[key] for key in ("claims", "metrics") if key in judged}
    return Experiment.model_validate({**folder.spec, **instead})


def complete(folder: RunFolder) -> bool:
    """Whether the events of every trial are here: git leaves out the largest."""
    table = folder.manifest.get("events") or {}
    return all((folder.path / entry["file"]).is_file() for entry in table.values())
