"""One metric in one trial: which of a step's numbers it is, and how they become one.

A repetition gives one value per cell (treatment × step), None with a reason
where the quantity does not exist.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.rows import of_trial
from runner.kinds.units import VARIANTS, counts_up
from runner.records.manifest import TRIED
from runner.records.outcome import MEASURED
from runner.spec.dimensions import lenient
from runner.spec.sections.printed import is_printed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.analysis.model import Step, Trial
    from runner.spec.metrics import Metric

SHOWN: Final = 60
"""Characters of a text that a reason quotes."""
COMBINE: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "max": max,
    "min": min,
    "mean": statistics.fmean,
    "median": statistics.median,
    "sum": sum,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "count": len,
}


def counted(trials: Iterable[Trial]) -> list[Trial]:
    """The trials that count: of each the last attempt, if it was valid.

    A search tries a level as often as it has to: those are trials, and not attempts at one.
    """
    last: dict[tuple[object, ...], Trial] = {}
    for trial in trials:
        level = levels(trial.steps[0]) if len(trial.steps) == 1 else None
        last[tuple(trial.treatment.items()), of_trial(trial).key, level, trial.planned] = trial
    return [trial for trial in last.values() if trial.outcome in MEASURED]


def levels(step: Step) -> tuple[float | None, ...]:
    """Connections, arrival rate, and the level of any other search: what it may vary."""
    named = (step.numbers.get(name) for name in ("load.rate", TRIED))
    return step.connections, *(float(x) if isinstance(x, int | float) else None for x in named)


def level_of(step: Step, what: str) -> float | None:
    """Give the level of a step in a search over `what`."""
    return levels(step)[{"connections": 0, "rate": 1}.get(what, 2)]


def value(metric: Metric, trial: Trial, step: str | None) -> tuple[float | str | None, str]:
    """Value of a metric in a trial, over all its steps or in the named one; and why none."""
    wanted = step if step is not None else metric.at
    steps = [item for item in trial.steps if wanted in (None, "search.level", item.name)]
    if not steps:
        return None, f"step {wanted} was not run"
    numbers: list[float] = []
    texts: list[str] = []
    why = ""
    read = [_of_step(metric, item) for item in steps]
    for number, reason in read:
        if isinstance(number, str):
            texts.append(number)
        elif number is None:
            why = why or reason
        else:
            numbers.append(number)
    if texts:
        return texts[0 if metric.statistic == "first" else -1], ""
    if not numbers:
        return None, why or "not measured"
    how = _over_steps(metric)
    if how == "sum" and len(numbers) < len(steps):
        return None, f"a step has no number to add: {why or 'not measured'}"
    # that of another step would stand for it
    if how in ("first", "last") and read[0 if how == "first" else -1][0] is None:
        return None, why or "not measured"
    return COMBINE[how](numbers) if len(numbers) > 1 else numbers[0], ""


def _over_steps(metric: Metric) -> str:
    """Say how the numbers of a trial's steps become one; none of it is said where one is named.

    What counts up adds up, what is printed is the last one, anything else is the highest. A
    statistic of what is printed is over all of it once: each step of a workload has the same.
    """
    if is_printed(metric.source):
        return metric.statistic if metric.statistic in ("first", "min", "max") else "last"
    if metric.statistic is not None:
        return metric.statistic
    return "sum" if metric.as_ is None and counts_up(str(metric.source)) else "max"


def _of_step(metric: Metric, step: Step) -> tuple[float | str | None, str]:
    name = metric.number
    if metric.as_ is not None and not metric.as_.startswith("rate/"):
        name = f"{name}@{metric.as_}"
    if metric.statistic in VARIANTS and f"{name}.{metric.statistic}" in step.numbers:
        name = f"{name}.{metric.statistic}"
    number = step.numbers.get(name)
    if number is None:
        return None, reason(name, metric.number, step.why)
    if isinstance(number, str) or metric.kind == "text":
        return _text(metric, number)
    if metric.as_ is not None and metric.as_.startswith("rate/"):
        seconds = step.end_s - step.start_s
        if seconds <= 0:
            return None, "the step has no length"
        return lenient(metric, {}).base(number) / seconds, ""
    return lenient(metric, {}).base(float(number)), ""


def _text(metric: Metric, observed: float | str) -> tuple[str | None, str]:
    """Give a text, or why a unit of numbers leaves none; a number of a text metric as one."""
    text = observed if isinstance(observed, str) else f"{observed:.12g}"
    unit = metric.unit or metric.printed_in or metric.as_
    if unit is None:
        return text, ""
    return None, f"`{text[:SHOWN]}` is a text, and {unit} is a unit of numbers"


def reason(name: str, number: str, why: Mapping[str, str]) -> str:
    """Say why there is no number: by its own name, else by what it is a part of."""
    parts = [name, number]
    stem = name
    while "." in stem and "(" not in stem:
        stem = stem.rpartition(".")[0]
        parts.append(stem)
    parts.append(name.partition(".")[0])
    cause = next((why[key] for key in parts if why.get(key)), "")
    return cause or f"{name} was not measured"


def step_names(trials: Iterable[Trial]) -> list[str]:
    """Every step's name, in the order first seen."""
    return list(dict.fromkeys(step.name for trial in trials for step in trial.steps))
