"""A run's own record → its trials, judged: what run.json planned and the events say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.analysis.trial import frames, trial
from runner.analysis.trial.loads import LoadPart
from runner.errors import RecordError
from runner.kinds.generators.interface import LoadStep, StepPlan
from runner.kinds.sources import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.model import Trial
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder


def step_plan(data: Mapping[str, Any]) -> StepPlan:
    """Read a step back from run.json."""
    load = data.get("load")
    return StepPlan(
        data["index"],
        data["name"],
        data["connections"],
        data["generator"],
        LoadStep(**{**load, "argv": tuple(load.get("argv", ()))}) if load else None,
    )


def judged(
    folder: RunFolder,
    trial_id: str,
    plan: Mapping[str, Any],
    experiment: Experiment,
    facts: Mapping[str, Any],
) -> Trial:
    """Judge one trial from its record."""
    reading = frames.read(folder.iter_events(trial_id))
    known = fields(facts, experiment.families)
    return trial.trial(reading, trial_plan(trial_id, plan, folder, facts), known,
                        experiment.healthy, experiment.guards)  # fmt: skip


def load_part(part: Mapping[str, Any], folder: RunFolder) -> LoadPart:
    """Read what one load host did; without a record where it did nothing."""
    try:
        reading = frames.read(folder.iter_events(part["id"]))
    except RecordError:
        reading = None
    return LoadPart(part["host"], tuple(step_plan(step) for step in part["steps"]), reading)


def trial_plan(
    trial_id: str, plan: Mapping[str, Any], folder: RunFolder, facts: Mapping[str, Any]
) -> trial.TrialPlan:
    """Read a trial's plan back from run.json, with the records of its load hosts.

    `facts` are those of the trial's host.
    """
    return trial.TrialPlan(
        id=trial_id,
        host=plan["host"],
        treatment=plan["treatment"],
        repetition=plan["repetition"],
        attempt=plan["attempt"],
        steps=tuple(step_plan(step) for step in plan["steps"]),
        extra=plan["extra"],
        loads=tuple(load_part(part, folder) for part in plan.get("loads") or ()),
        emulated=bool(facts.get("emulated")),
    )
