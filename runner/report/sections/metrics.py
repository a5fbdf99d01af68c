"""Estimates of the metrics, with their intervals, and the tables that a spec asks for."""

from __future__ import annotations

import statistics
from itertools import product
from typing import TYPE_CHECKING

from runner.analysis.middle import middle
from runner.analysis.stats.intervals import SMALLEST_BOOTSTRAP, mean_interval
from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape
from runner.spec.metrics import AGAINST, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Estimate, Trial
    from runner.spec.experiment import Experiment
    from runner.spec.metrics import Metric
    from runner.spec.sections.report import Table


def table(estimates: Sequence[Estimate], experiment: Experiment) -> Md | None:
    """Give a row per metric and cell; columns that nothing fills are left out."""
    if not estimates:
        return None
    titles = {name: metric.title for name, metric in experiment.metrics.items()}
    treated = any(e.treatment for e in estimates)
    stepped = any(e.step is not None for e in estimates)
    head = ["metric", *(["treatment"] if treated else []), *(["step"] if stepped else [])]
    left = len(head)
    head += ["median", "interval", "level", "n", ""]
    rows = []
    for estimate in estimates:
        unit = estimate.unit
        row: list[object] = [_named(estimate.metric, titles.get(estimate.metric))]
        row += [words.treatment(estimate.treatment) or "–"] if treated else []
        row += [estimate.step if estimate.step is not None else "–"] if stepped else []
        row += [middle(estimate), units.interval(estimate.interval, unit)]
        rows.append([*row, units.percent(estimate.level), estimate.n, estimate.why])
    align = "l" * left + "rrrrl"
    if not any(e.why for e in estimates):
        head, align, rows = head[:-1], align[:-1], [row[:-1] for row in rows]
    return markdown.table(head, rows, align)


def _named(metric: str, title: str | None) -> Md:
    return Md(f"{code(metric)} {escape(title)}") if title else code(metric)


def asked_tables(estimates: Sequence[Estimate], experiment: Experiment) -> list[tuple[str, Md]]:
    """Give the tables of the spec's `report`: rows by factors, a column per metric."""
    report = experiment.report
    wanted = [*([report.table] if report.table else []), *report.tables]
    return [
        (
            asked.title or ("Table" if len(wanted) == 1 else f"Table {i}"),
            _pivot(asked, estimates, experiment.baseline),
        )
        for i, asked in enumerate(wanted, 1)
    ]


def _pivot(asked: Table, estimates: Sequence[Estimate], baseline: Mapping[str, str]) -> Md:
    factors, columns = asked.rows, asked.columns
    levels = [_levels(name, estimates) for name in factors]
    rows = []
    for cell in product(*levels):
        place = dict(zip(factors, cell, strict=True))
        cells = [_cell(column, place, estimates, baseline) for column in columns]
        if any(text != units.NONE for text in cells) or not factors:
            rows.append([*cell, *cells])
    head = [*factors, *columns]
    return markdown.table(head, rows, "l" * len(factors) + "r" * len(columns))


def _levels(name: str, estimates: Sequence[Estimate]) -> list[str]:
    """Give the levels in the order of the estimates, which is that of the spec."""
    levels = (e.step if name == "step" else e.treatment.get(name) for e in estimates)
    return list(dict.fromkeys(level for level in levels if level is not None))


def _find(metric: str, place: Mapping[str, str], estimates: Sequence[Estimate]) -> Estimate | None:
    """Give the one estimate at a place; None where several would fit: nothing is averaged."""

    def fits(estimate: Estimate) -> bool:
        at = {**estimate.treatment, **({} if estimate.step is None else {"step": estimate.step})}
        # a metric of the whole trial stands beside every step
        return estimate.metric == metric and all(at.get(k, v) == v for k, v in place.items())

    matches = [estimate for estimate in estimates if fits(estimate)]
    return matches[0] if len(matches) == 1 else None


def _cell(
    column: str,
    place: Mapping[str, str],
    estimates: Sequence[Estimate],
    baseline: Mapping[str, str],
) -> str:
    stem, _, suffix = column.rpartition(".")
    metric, suffix = (stem, suffix) if suffix in SUFFIXES and stem else (column, "")
    estimate = _find(metric, place, estimates)
    if estimate is None:
        return units.NONE
    unit = estimate.unit
    if suffix not in AGAINST:
        return _shown(suffix, estimate, unit)
    base = _find(metric, {**place, **baseline}, estimates) if baseline else None
    if base is None or base.median is None or estimate.median is None:
        return units.NONE
    return _against(suffix, estimate.median, base.median, unit)


def _shown(suffix: str, estimate: Estimate, unit: str) -> str:
    if suffix == "n":
        return units.count(estimate.n)
    if suffix == "interval":
        return units.interval(estimate.interval, unit)
    if suffix == "mean":
        return _mean(estimate, unit)
    return middle(estimate)


def _mean(estimate: Estimate, unit: str) -> str:
    """Show the mean over the repetitions with its bootstrap interval, where there is one."""
    values = [value for value in estimate.values if value is not None]
    sides = {one.censored for one in estimate.repetitions} - {""}
    if not values or sides - {"above"} or (sides and len(values) < len(estimate.values)):
        return units.NONE
    if sides:
        return f"≥ {units.amount(statistics.fmean(values), unit)}"
    mean = units.amount(statistics.fmean(values), unit)
    interval = mean_interval(values)
    if interval is None:
        return f"{mean} (an interval needs {SMALLEST_BOOTSTRAP})"
    return f"{mean} [{units.interval(interval.bounds, unit)}]"


def _against(suffix: str, value: float, base: float, unit: str) -> str:
    """Show a value against the baseline's: +1.2 MB, 1.04×, +4.0 %."""
    if suffix == "difference":
        return ("+" if value > base else "") + units.amount(value - base, unit)
    if base == 0:
        return units.NONE
    if suffix == "ratio":
        return f"{units.digits(value / base)}×"
    return ("+" if value > base else "") + units.percent(value / base - 1)


def how_made(trials: Sequence[Trial], metrics: Mapping[str, Metric]) -> list[Md]:
    """Say of each metric that is made of many printed numbers of how many, and what is left out."""
    sentences = []
    for name, metric in metrics.items():
        if not metric.many:
            continue
        taken = _counts(trials, f"{metric.number}[taken]")
        skipped = _counts(trials, f"{metric.number}[skipped]")
        if not taken:
            continue
        of = f"{code(name)}: the {metric.statistic} of {_range(taken)} printed numbers a trial"
        if metric.skip is not None:
            rule = code(f"skip: {metric.skip}")
            of += f"; the first {_range(skipped)} were thrown away ({rule})"
        sentences.append(Md(f"{of}."))
    return sentences


def _counts(trials: Sequence[Trial], name: str) -> list[int]:
    numbers = [step.numbers.get(name) for trial in trials for step in trial.steps]
    return [int(number) for number in numbers if isinstance(number, int | float)]


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return markdown.escape(str(low) if low == high else f"{low} to {high}")
