"""Metrics over repetitions: one estimate per cell (treatment × step).

The unit of replication is a repetition on a fresh workload; an estimate's values
are one per repetition, each with the key of its unit, and nothing else is ever pooled.
A unit that is known to lie beyond something (a search that ended at its bound, a step
that was never reached, a value at the end of its instrument's range) is censored: it
counts by its rank.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims import bounded
from runner.analysis.claims.limited import counted_out, limited
from runner.analysis.claims.rows import BEYOND, Key, Row, by_key, by_unit, joined, of_trial, within
from runner.analysis.claims.statements import evaluate, nothing_to_divide_by
from runner.analysis.claims.values import counted, level_of, step_names, value
from runner.analysis.model import Estimate, Repetition
from runner.analysis.stats.censored import median_of_bounds
from runner.analysis.stats.intervals import LEVEL
from runner.records.units import COUNT, UnitError, read_unit
from runner.spec.dimensions import lenient
from runner.spec.metrics import MOMENT
from runner.spec.sections.computed import directly, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.claims.rows import Cell, Outermost
    from runner.analysis.model import Trial
    from runner.records.manifest import Searches, SearchRun
    from runner.spec.dimensions import Measure
    from runner.spec.expressions import Expression
    from runner.spec.metrics import Metric

BOUNDED: Final = {"level", "last_passing", "first_failing", "p_healthy"}
"""Numbers of a search that are a bound where it ended at a bound of its range."""
BOUND: Final = "computed of a bound"
DETERMINED: Final = ("build.",)
"""Sources that a tool determines: the same input gives the same number."""


def estimates(
    metrics: Mapping[str, Metric],
    trials: Sequence[Trial],
    search: Searches | None,
    level: Outermost = "",
) -> tuple[Estimate, ...]:
    """Estimate every metric in every cell, metrics in the order of the spec.

    A value is one of each unit of the level (`outermost`), else of each repetition.
    """
    valid = counted(trials)
    of_metrics: list[Estimate] = []
    cells: dict[str, dict[Cell, list[Row]]] = {}
    for name in in_order(metrics):
        metric = metrics[name]
        if metric.source is not None and metric.source.startswith("search."):
            cells[name] = _of_search(metric, search, valid)
        elif metric.source is not None:
            cells[name] = _of_trials(metric, valid, search)
        else:
            cells[name] = _computed(metric, cells)
    for name, metric in metrics.items():
        exact, of = is_exact(name, metrics), lenient(metric, metrics)
        of_metrics += [
            _estimate(name, metric, of, cell, by_unit(rows, level), exact)
            for cell, rows in cells[name].items()
        ]
    return tuple(_with_late_trials(one, valid) for one in of_metrics)


def _with_late_trials(estimate: Estimate, trials: Sequence[Trial]) -> Estimate:
    """Say of how many trials of an estimate only a bound is known since they ran out of time."""
    if not any(one.censored for one in estimate.repetitions):
        return estimate
    late = counted_out(trials, estimate.treatment)
    return (
        replace(estimate, why="; ".join(filter(None, (late, estimate.why)))) if late else estimate
    )


def is_exact(name: str, metrics: Mapping[str, Metric]) -> bool:
    """Whether a metric is declared exact, and a tool determines it.

    What a program prints may differ in the next run, however often it was the same.
    """
    metric = metrics.get(name)
    if metric is None or metric.kind != "exact":
        return False
    if metric.source is not None:
        return metric.source.startswith(DETERMINED)
    below = [metrics[other] for other in in_order(metrics, name)]
    return all(other in metrics for one in below for other in directly(one)) and all(
        (one.source or DETERMINED[0]).startswith(DETERMINED) for one in below
    )


def _of_trials(
    metric: Metric, trials: Sequence[Trial], search: Searches | None
) -> dict[Cell, list[Row]]:
    rows: dict[Cell, list[Row]] = defaultdict(list)
    if search and _is_of_level(metric):
        return _at_level(metric, trials, search)
    # steps of a search over the load are its levels, one for each trial
    named = search is not None and search.what in ("connections", "rate")
    planned = {
        cell: step_names(t for t in trials if tuple(t.treatment.items()) == cell)
        for cell in {tuple(trial.treatment.items()) for trial in trials}
    }
    for trial in sorted(trials, key=lambda t: t.repetition):
        cell = tuple(trial.treatment.items())
        steps: list[str | None] = [*planned[cell]] if metric.per == "step" else [None]
        for step in steps:
            wanted = step or metric.at
            if named and wanted and all(item.name != wanted for item in trial.steps):
                continue  # a trial of another level: none was cut short
            rows[cell, step].append(_row(metric, trial, step, planned[cell]))
    return rows


def _is_of_level(metric: Metric) -> bool:
    """Whether a metric of a search is of the level that was found: also where it names no step.

    Trials of different levels are not repetitions of anything. What a tool determines once for
    all trials has no level.
    """
    if metric.at is None and metric.per == "trial":
        return not str(metric.source).startswith(DETERMINED)
    return metric.at == "search.level"


def _row(metric: Metric, trial: Trial, step: str | None, planned: Sequence[str]) -> Row:
    of = of_trial(trial)
    wanted = step if step is not None else metric.at
    if wanted in planned and all(item.name != wanted for item in trial.steps):
        side = BEYOND.get(metric.better or "", "unknown")
        why = f"step {wanted} was never reached: {trial.why or 'the trial ended before it'}"
        return Row(None, why, replace(of, censored=side))
    number, why = value(metric, trial, step)
    if number is None and metric.source == MOMENT and _never_killed(trial):
        return Row(None, why, replace(of, censored="above"))
    return limited(metric, trial, within(Row(number, why, of), metric.ends))


def _never_killed(trial: Trial) -> bool:
    kills = [step.numbers.get("cgroup.oom_kills") for step in trial.steps]
    return bool(kills) and all(number == 0 for number in kills)


def _own(run: SearchRun, trials: Sequence[Trial]) -> list[Trial]:
    """Give the trials of one search, however often it was gone on with.

    A search has a session only where runs are pooled: in its own run it has its trials'.
    """
    return [
        trial
        for trial in trials
        if trial.repetition == run.repetition
        and trial.treatment == run.treatment
        and run.session in ("", trial.session)
    ]


def _of_run(run: SearchRun, trials: Sequence[Trial]) -> Repetition:
    """Say which unit a search is: the one of its first trial."""
    plain = Repetition(run.repetition, session=run.session)
    units = map(of_trial, _own(run, trials))
    return min(units, key=lambda one: one.started_at, default=plain)


def _at_level(metric: Metric, trials: Sequence[Trial], search: Searches) -> dict[Cell, list[Row]]:
    """One value per search: the median over its healthy trials at the level it found."""
    rows: dict[Cell, list[Row]] = defaultdict(list)
    for run in search.runs:
        of = _of_run(run, trials)
        seen = [
            value(metric, trial, None)
            for trial in _own(run, trials)
            if trial.outcome == "healthy"
            and trial.steps
            and level_of(trial.steps[0], search.what) == run.last_passing
        ]
        numbers = [number for number, _ in seen if isinstance(number, int | float)]
        texts = [text for text, _ in seen if isinstance(text, str)]
        row = Row(
            None, next((why for _, why in seen), f"no healthy trial at level {run.level}"), of
        )
        if texts:
            row = Row(texts[-1], "", of)
        elif numbers:
            row = within(Row(float(statistics.median(numbers)), "", of), metric.ends)
        rows[tuple(run.treatment.items()), None].append(row)
    return rows


def _of_search(
    metric: Metric, search: Searches | None, trials: Sequence[Trial]
) -> dict[Cell, list[Row]]:
    rows: dict[Cell, list[Row]] = defaultdict(list)
    name = str(metric.source).removeprefix("search.")
    for run in search.runs if search else ():
        number, of = run.number(name), _of_run(run, trials)
        why = "" if number is not None else run.why or "the search found no level"
        ended = run.at_bound
        if ended and name in BOUNDED:
            tried = [level for level, _, _ in run.table]
            number = max(tried) if ended == "high" else min(tried)
            of = replace(of, censored="above" if ended == "high" else "below")
            why = run.why or f"the search ended at its {ended} bound"
        rows[tuple(run.treatment.items()), None].append(Row(number, why, of))
    return rows


def _computed(
    metric: Metric, cells: Mapping[str, Mapping[Cell, list[Row]]]
) -> dict[Cell, list[Row]]:
    """Arithmetic over other metrics of the same repetition and cell."""
    rows: dict[Cell, list[Row]] = {}
    expression = metric.expression
    assert expression is not None  # noqa: S101 - the model has exactly one of from and compute
    names = directly(metric)
    for cell in cells.get(names[0], {}) if names else {}:
        columns = {name: by_key(cells.get(name, {}).get(cell, [])) for name in names}
        units = joined([[row.of for row in column.values()] for column in columns.values()])
        rows[cell] = [
            within(_computed_row(expression, columns, unit), metric.ends) for unit in units
        ]
    return rows


def _computed_row(
    expression: Expression, columns: Mapping[str, Mapping[Key, Row]], unit: Repetition
) -> Row:
    known: dict[str, float] = {}
    ranges: dict[str, bounded.Range] = {}
    why = ""
    for name, column in columns.items():
        row = column.get(unit.key)
        if row is None or (row.known is None and not row.of.censored):
            why = why or f"{name}: {row.why if row is not None else 'not measured'}"
            continue
        ranges[name] = bounded.of_row(row)
        if row.known is not None and not row.of.censored:
            known[name] = row.known
    if why:
        lost = any(row.of.censored for row in _rows_of(columns, unit))
        return Row(None, why, replace(unit, censored="unknown" if lost else ""))
    if len(known) == len(ranges):
        return Row(*_arithmetic(expression, known), replace(unit, censored=""))
    number, side = bounded.side(bounded.evaluate(expression, ranges.__getitem__))
    return Row(number, "" if number is not None else BOUND, replace(unit, censored=side))


def _rows_of(columns: Mapping[str, Mapping[Key, Row]], unit: Repetition) -> list[Row]:
    return [row for column in columns.values() if (row := column.get(unit.key)) is not None]


def _resolution(metric: Metric, of: Measure) -> float | None:
    """Give the smallest step of what is printed in base units; a bare one is in the unit."""
    step = metric.resolution
    if step is None:
        return None
    if step.dimension != COUNT or not of.unit:
        return float(step.exact)
    try:
        return float(step.exact * read_unit(of.unit).size)
    except UnitError:
        return float(step.exact)


def _arithmetic(expression: Expression, known: Mapping[str, float]) -> tuple[float | None, str]:
    """Evaluate over numbers; None with its reason where the quantity does not exist."""
    number = evaluate(expression, lambda ref: known[ref.name])
    if isinstance(number, int | float):
        return float(number), ""
    why = nothing_to_divide_by(expression, lambda ref: known[ref.name])
    return None, why or "it is not a number"


def _estimate(
    name: str, metric: Metric, of: Measure, cell: Cell, rows: Sequence[Row], exact: bool
) -> Estimate:
    treatment, step = cell
    texts = [row.number for row in rows if isinstance(row.number, str)]
    numbers = [row.known for row in rows if row.known is not None]
    why = next((row.why for row in rows if row.number is None and row.why), "")
    interval: tuple[float, float] | None = None
    level: float | None = None
    values = tuple(row.known for row in rows)
    sides = tuple(row.of.censored for row in rows)
    counted_units = sum(v is not None or bool(side) for v, side in zip(values, sides, strict=True))
    middle = median_of_bounds(values, sides, LEVEL, of.unit)
    if exact and numbers and len(set(numbers)) == 1:
        interval, level = (numbers[0], numbers[0]), 1.0
    elif exact and numbers:
        why = why or "declared exact, but repetitions differ"
    elif middle.interval is not None:
        interval, level = middle.interval, middle.level
    return Estimate(
        metric=name,
        unit=of.unit,
        treatment=dict(treatment),
        step=step,
        values=values,
        n=counted_units or len(texts),
        median=middle.median,
        interval=interval,
        level=level,
        why="; ".join(filter(None, (middle.why, why))),
        exact=exact and bool(numbers) and len(set(numbers)) == 1,
        texts=tuple(r.number if isinstance(r.number, str) else None for r in rows) if texts else (),
        resolution=_resolution(metric, of),
        repetitions=tuple(row.of for row in rows),
    )


def relative_half_width(item: Estimate) -> float | None:
    """Half the interval's width over the median's size; None where that does not exist.

    An interval without width is narrow whatever its median is, also 0; so is one text.
    """
    if item.texts:
        return 0.0 if len(set(item.texts)) == 1 else None
    if item.interval is None or item.median is None:
        return None
    half = (item.interval[1] - item.interval[0]) / 2
    if half == 0:
        return 0.0
    return half / abs(item.median) if item.median else None
