"""The experiment of a record: what was run, as this version reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from runner.errors import RecordError
from runner.kinds.units import unit_of
from runner.records.units import base_name
from runner.spec.experiment import Experiment
from runner.spec.health import Rule
from runner.spec.sections.abort import AbortRule
from runner.store.record import PRINTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.plain import Json
    from runner.store.record import RunFolder

_RULE: TypeAdapter[Rule] = TypeAdapter(AbortRule)


def of_record(folder: RunFolder) -> Experiment:
    """Give the experiment that a record holds, with the claims that it was judged with last."""
    spec = dict(folder.spec)
    if folder.manifest.units != PRINTED:
        spec["metrics"] = shown_in(spec.get("metrics") or {})
    judged = folder.manifest.judged_with
    instead = judged.instead() if judged else {}
    if judged and "metrics" in instead and judged.units != PRINTED:
        instead["metrics"] = shown_in(judged.metrics if isinstance(judged.metrics, dict) else {})
    return experiment_of(folder, {**spec, **instead})


def experiment_of(folder: RunFolder, spec: Mapping[str, Json] | None = None) -> Experiment:
    """Read the spec of a record, or one put together of it; RecordError where it is refused now.

    What is refused now because it never did anything is left out: the trials had none of it.
    """
    given = dict(folder.spec) if spec is None else dict(spec)
    try:
        return Experiment.model_validate(_without_idle(given))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RecordError(
            f"the spec of run {folder.id} is not one that this version takes: "
            f"{place}: {first['msg']}",
            fix="run the experiment again, or read the record with the version that made it",
        ) from wrong


def _without_idle(spec: dict[str, Json]) -> dict[str, Json]:
    """Leave out rules of `abort_when` that no host can watch: older versions took them."""
    rules = spec.get("abort_when")
    if not isinstance(rules, list):
        return spec
    return {**spec, "abort_when": [rule for rule in rules if _watched(rule)]}


def _watched(rule: object) -> bool:
    try:
        _RULE.validate_python(rule)
    except ValidationError:
        return False
    return True


def shown_in(metrics: Mapping[str, Json]) -> dict[str, Json]:
    """Give the metrics of a record from when `unit` was for show alone.

    What a program printed was taken to be in base units then.
    """
    shown: dict[str, Json] = {}
    for name, metric in metrics.items():
        shown[name] = metric
        if not isinstance(metric, dict):
            continue
        source, unit = metric.get("from"), metric.get("unit")
        if source and unit and unit_of(str(source)) is None:
            shown[name] = {**metric, "printed_in": base_name(str(unit))}
    return shown
