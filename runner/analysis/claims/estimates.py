"""Metrics over repetitions: one estimate per cell (treatment × step).

The unit of replication is a repetition on a fresh workload; an estimate's values
are one per repetition, in their order, and nothing else is ever pooled.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from runner.analysis.claims.statements import evaluate, nothing_to_divide_by
from runner.analysis.claims.values import counted, levels, step_names, value
from runner.analysis.model import Estimate
from runner.analysis.stats.intervals import median_interval
from runner.spec.expressions import references

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Trial
    from runner.spec.expressions import Expression
    from runner.spec.metrics import Metric

LEVEL = 0.90

Cell = tuple[tuple[tuple[str, str], ...], str | None]


def estimates(
    metrics: Mapping[str, Metric], trials: Sequence[Trial], search: Mapping[str, Any] | None
) -> tuple[Estimate, ...]:
    """Estimate every metric in every cell, metrics in the order of the spec."""
    valid = counted(trials)
    found: list[Estimate] = []
    cells: dict[str, dict[Cell, list[tuple[float | str | None, str]]]] = {}
    for name, metric in metrics.items():
        if metric.source is not None and metric.source.startswith("search."):
            cells[name] = _of_search(metric, search)
        elif metric.source is not None:
            cells[name] = _of_trials(metric, valid, search)
        else:
            cells[name] = _computed(metric, cells)
        found += [_estimate(name, metric, cell, rows) for cell, rows in cells[name].items()]
    return tuple(found)


def _of_trials(
    metric: Metric, trials: Sequence[Trial], search: Mapping[str, Any] | None
) -> dict[Cell, list[tuple[float | str | None, str]]]:
    rows: dict[Cell, list[tuple[float | str | None, str]]] = defaultdict(list)
    if search and metric.at == "search.level":
        return _at_level(metric, trials, search)
    steps: list[str | None] = [*step_names(trials)] if metric.per == "step" else [None]
    for trial in sorted(trials, key=lambda t: t.repetition):
        for step in steps:
            if step is not None and all(item.name != step for item in trial.steps):
                continue
            rows[(tuple(trial.treatment.items()), step)].append(value(metric, trial, step))
    return rows


def _at_level(
    metric: Metric, trials: Sequence[Trial], search: Mapping[str, Any]
) -> dict[Cell, list[tuple[float | str | None, str]]]:
    """One value per search: the median over its healthy trials at the level it found."""
    rows: dict[Cell, list[tuple[float | str | None, str]]] = defaultdict(list)
    for run in search.get("runs", []):
        level = run.get("level")
        at = [
            number
            for trial in trials
            if trial.repetition == run["repetition"]
            and dict(trial.treatment) == dict(run["treatment"])
            and trial.outcome == "healthy"
            and trial.steps
            and levels(trial.steps[0])[search.get("what") == "rate"] == run.get("last_passing")
            and isinstance(number := value(metric, trial, None)[0], int | float)
        ]
        row: tuple[float | None, str] = (None, f"no healthy trial at level {level}")
        if at:
            row = (float(statistics.median(at)), "")
        rows[(tuple(run["treatment"].items()), None)].append(row)
    return rows


def _of_search(
    metric: Metric, search: Mapping[str, Any] | None
) -> dict[Cell, list[tuple[float | str | None, str]]]:
    rows: dict[Cell, list[tuple[float | str | None, str]]] = defaultdict(list)
    name = str(metric.source).removeprefix("search.")
    for run in (search or {}).get("runs", []):
        number = run.get(name)
        why = "" if number is not None else str(run.get("why") or "the search found no level")
        rows[(tuple(run["treatment"].items()), None)].append((number, why))
    return rows


def _computed(
    metric: Metric, cells: Mapping[str, Mapping[Cell, list[tuple[float | str | None, str]]]]
) -> dict[Cell, list[tuple[float | str | None, str]]]:
    """Arithmetic over other metrics of the same repetition and cell."""
    rows: dict[Cell, list[tuple[float | str | None, str]]] = {}
    expression = metric.expression
    assert expression is not None  # noqa: S101 - the model has exactly one of from and compute
    names = [reference.name for reference in references(expression)]
    first = cells.get(names[0], {}) if names else {}
    for cell, values in first.items():
        rows[cell] = []
        for index in range(len(values)):
            known: dict[str, float] = {}
            why = ""
            for name in names:
                column = cells.get(name, {}).get(cell, [])
                number, reason = column[index] if index < len(column) else (None, "not measured")
                if isinstance(number, int | float):
                    known[name] = float(number)
                else:
                    why = why or f"{name}: {reason}"
            if why:
                rows[cell].append((None, why))
                continue
            number, why = _arithmetic(expression, known)
            rows[cell].append((number, why))
    return rows


def _arithmetic(expression: Expression, known: Mapping[str, float]) -> tuple[float | None, str]:
    """Evaluate over numbers; None with its reason where the quantity does not exist."""
    number = evaluate(expression, lambda ref: known[ref.name])
    if isinstance(number, int | float):
        return float(number), ""
    return None, nothing_to_divide_by(expression, lambda ref: known[ref.name]) or "it is no number"


def _estimate(
    name: str, metric: Metric, cell: Cell, rows: Sequence[tuple[float | str | None, str]]
) -> Estimate:
    treatment, step = cell
    texts = [number for number, _ in rows if isinstance(number, str)]
    numbers = [float(n) for n, _ in rows if isinstance(n, int | float)]
    why = next((reason for number, reason in rows if number is None and reason), "")
    if texts:
        # an identity (a build id) has no median: say whether it is one and the same
        same = len(set(texts)) == 1
        why = texts[0] if same else f"{len(set(texts))} different values"
    interval: tuple[float, float] | None = None
    level: float | None = None
    if metric.kind == "exact" and numbers and len(set(numbers)) == 1:
        interval, level = (numbers[0], numbers[0]), 1.0
    elif metric.kind == "exact" and numbers:
        why = why or "declared exact, but repetitions differ"
    elif numbers:
        found = median_interval(numbers, LEVEL)
        if found is not None:
            interval, level = (found.low, found.high), found.level
    return Estimate(
        metric=name,
        unit=metric.unit or "",
        treatment=dict(treatment),
        step=step,
        values=tuple(float(n) if isinstance(n, int | float) else None for n, _ in rows),
        n=len(numbers),
        median=statistics.median(numbers) if numbers else None,
        interval=interval,
        level=level,
        why=why,
    )


def relative_half_width(item: Estimate) -> float | None:
    """Half the interval's width over the median's size; None where that does not exist.

    An interval without width is narrow whatever its median is, also 0.
    """
    if item.interval is None or item.median is None:
        return None
    half = (item.interval[1] - item.interval[0]) / 2
    if half == 0:
        return 0.0
    return half / abs(item.median) if item.median else None
