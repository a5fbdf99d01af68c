"""A treatment: the experiment with the chosen levels merged in. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from runner.spec.experiment import Experiment

if TYPE_CHECKING:
    from collections.abc import Mapping


def treatments(experiment: Experiment) -> list[dict[str, str]]:
    """Every cell of the matrix that is not skipped; one empty one where nothing is varied."""
    cells = [
        dict(zip(experiment.factors, levels, strict=True))
        for levels in itertools.product(*(f.names() for f in experiment.factors.values()))
    ]
    return [
        cell
        for cell in cells
        if not any(
            all(cell.get(factor) == level for factor, level in skip.when.items())
            for skip in experiment.skip
        )
    ]


def treated(experiment: Experiment, levels: Mapping[str, str]) -> Experiment:
    """Give the experiment under these levels: sections merged, `{factor}` filled in."""
    if not levels:
        return experiment
    data = experiment.model_dump(by_alias=True, exclude_unset=True)
    for factor, level in levels.items():
        for section, over in experiment.factors[factor].levels[level].items():
            data[section] = merged(data.get(section) or {}, over)
    for section in ("build", "workload", "load"):
        if section in data:
            data[section] = filled(data[section], levels)
    return Experiment.model_validate(data)


def merged(below: Any, over: Any) -> Any:
    """Mappings merge key by key; everything else is replaced."""
    if isinstance(below, dict) and isinstance(over, dict):
        return {**below, **{key: merged(below.get(key), value) for key, value in over.items()}}
    return over


def filled(value: Any, levels: Mapping[str, str]) -> Any:
    """Replace `{factor}` in every text by its level."""
    if isinstance(value, str):
        for factor, level in levels.items():
            value = value.replace("{" + factor + "}", level)
        return value
    if isinstance(value, dict):
        return {key: filled(item, levels) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, levels) for item in value]
    return value


def treatment_name(levels: Mapping[str, str]) -> str:
    """Name a treatment for ids: `nethttp` or `nethttp-100`, `all` where nothing is varied."""
    return "-".join(levels.values()) or "all"
