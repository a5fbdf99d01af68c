"""What only the whole spec shows: metrics, claims and tables that name each other.

Each check gives (path, message, whether the key and not the value is meant).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from runner.records.quantities import unit_problem
from runner.spec.base import did_you_mean
from runner.spec.expressions import references
from runner.spec.fact_names import check_fact
from runner.spec.metrics import check_column
from runner.spec.references import check_reference
from runner.spec.sections.computed import circles
from runner.spec.sections.requires import split_role
from runner.spec.treatments import treatments, with_levels
from runner.specfile.cross_checks.design import check_parts
from runner.specfile.cross_checks.given import check_given, covering, judged
from runner.specfile.cross_checks.inert import check_inert
from runner.specfile.cross_checks.units import check_units
from runner.specfile.names import (
    PSEUDO_FACTORS,
    Names,
    level_fault,
    levels_faults,
    reference_faults,
)

if TYPE_CHECKING:
    from runner.spec.claims import Claim, Published
    from runner.spec.experiment import Experiment
    from runner.spec.metrics import Metric
    from runner.specfile.names import Finding
    from runner.specfile.values import Path

MANY = 64
"""Treatments of which the steps are looked at."""
_VERSIONS = ("build.go", "go", "version", "release")


def check(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Every check over what was kept of a spec."""
    names.steps = _steps(exp, names)
    for name, metric in exp.metrics.items():
        yield from _metric(metric, ("metrics", name), names)
    for name in exp.requires:
        if problem := check_fact(split_role(name)[1]):
            yield ("requires", name), problem, True
    yield from _circles(exp)
    yield from _claims(exp, names)
    yield from _tables(exp, names)
    yield from _figures(exp, names)
    yield from check_parts(exp, names)
    yield from check_units(exp, names)
    treated = covering(exp) if judged(exp, names) else []
    yield from check_given(exp, names, treated)
    yield from check_inert(exp, names, treated)


def _steps(exp: Experiment, names: Names) -> tuple[str, ...] | None:
    """Give the names of all steps; None where a search or a broken part decides about them."""
    if exp.search is not None or names.broken & {"load", "factors", "search"}:
        return None
    cells = treatments(exp)[: MANY + 1]
    if len(cells) > MANY:
        return None
    try:
        loads = [with_levels(exp, cell).load for cell in cells]
    except ValidationError:  # said where the levels are looked at
        return None
    found = [step.name for load in loads if load is not None for step in load.expanded_steps()]
    return tuple(dict.fromkeys(found)) if found or "load" not in names.sections else None


def _metric(metric: Metric, path: Path, names: Names) -> Iterator[Finding]:
    for key, text in (("from", metric.source), ("at", metric.at)):
        if text and text.startswith("search.") and "search" not in names.sections:
            yield (*path, key), f"`{text}` needs a `search` section, and there is none", False
    of_step = metric.at is not None and not metric.at.startswith("search.")
    if of_step and names.steps and metric.at not in names.steps:
        hint = did_you_mean(str(metric.at), names.steps)
        yield (*path, "at"), f"unknown step `{metric.at}`{hint}", False
    if metric.per == "step" and "load" not in names.sections:
        yield (*path, "per"), "there are no steps: the spec has no `load`", False
    if metric.expression is not None:
        for ref in references(metric.expression):
            for message in reference_faults(ref, names):
                yield (*path, "compute"), message, False


def _circles(exp: Experiment) -> Iterator[Finding]:
    for name in dict.fromkeys(circles(exp.metrics)):
        yield ("metrics", name, "compute"), f"`{name}` is computed from itself", False


def _claims(exp: Experiment, names: Names) -> Iterator[Finding]:
    yield from _claimed_metrics(names)
    seen: set[str] = set()
    for index, claim in enumerate(exp.claims):
        path = names.place("claims", index)
        if claim.id in seen:
            yield (*path, "id"), f"the claim {claim.id} is there twice", False
        seen.add(claim.id)
        yield from _claim(exp, claim, path, names)


def _where(exp: Experiment, claim: Claim, path: Path, names: Names) -> Iterator[Finding]:
    faults = list(levels_faults(claim.where, path, names))
    yield from faults
    metric = exp.metrics.get(str(claim.metric))
    # a computed metric has the steps of what it is computed from
    of_trial = metric is not None and metric.source is not None and metric.per != "step"
    if "step" in claim.where and of_trial and not faults:
        message = f"`{claim.metric}` has one number for a trial: say per: step beside its from"
        yield (*path, "step"), message, False


def _claim(exp: Experiment, claim: Claim, path: Path, names: Names) -> Iterator[Finding]:
    yield from _where(exp, claim, (*path, "where"), names)
    if claim.unit and (problem := unit_problem(claim.unit)):
        yield (*path, "unit"), problem, False
    if claim.statement is not None:
        for ref in references(claim.statement):
            for message in reference_faults(ref, names):
                yield (*path, "expect"), message, False
    yield from _same(exp, claim, (*path, "same"), names)
    if claim.published is not None:
        yield from _published(claim.published, (*path, "published"), names)
    for index, fact in enumerate(claim.must):
        if problem := check_fact(fact):
            yield (*path, "must", index), problem, False
    for fact in claim.declared:
        if fact not in claim.must and (problem := check_fact(fact)):
            yield (*path, "declared", fact), problem, True
    yield from _declared(claim.declared, (*path, "declared"))


def _same(exp: Experiment, claim: Claim, path: Path, names: Names) -> Iterator[Finding]:
    same = claim.same
    if same is None:
        return
    metric = exp.metrics.get(same.metric)
    if metric is None:
        hint = did_you_mean(same.metric, exp.metrics)
        yield (*path, "metric"), f"unknown metric `{same.metric}`{hint}", False
    elif metric.per == "step" and "step" not in claim.where:
        message = f"`{same.metric}` has a value in each step: name one, where: {{step: …}}"
        yield (*path, "metric"), message, False
    if same.across not in names.factors:
        hint = did_you_mean(same.across, names.factors)
        yield (*path, "across"), f"unknown factor `{same.across}`{hint}", False
    elif same.across in claim.where:
        message = f"`where` names one level of `{same.across}`: nothing is left to compare"
        yield (*path, "across"), message, False
    elif not same.groups(treatments(exp), dict(claim.where)):
        message = f"no two levels of `{same.across}` are run with all else equal"
        yield (*path, "across"), message, False


def _published(published: Published, path: Path, names: Names) -> Iterator[Finding]:
    factor = published.by
    if factor is None:
        return
    if factor not in (*PSEUDO_FACTORS, *names.factors):
        hint = did_you_mean(factor, names.factors)
        yield (*path, "by"), f"unknown factor `{factor}`{hint}", False
        return
    for level in published.levels:
        problem = level_fault(factor, level, names)
        if problem:
            yield (*path, "levels", level), problem, True


def _claimed_metrics(names: Names) -> Iterator[Finding]:
    """Metrics of claims, also of those that have another fault."""
    claims = names.data.get("claims")
    for index, claim in enumerate(claims if isinstance(claims, list) else ()):
        metric = claim.get("metric") if isinstance(claim, Mapping) else None
        if isinstance(metric, int) and not isinstance(metric, bool):
            metric = str(metric)  # as it is read: `3` names a metric too
        if isinstance(metric, str) and (problem := check_column(metric, names.metrics)):
            yield ("claims", index, "metric"), problem, False


def _declared(declared: Mapping[str, object], path: Path) -> Iterator[Finding]:
    for fact, value in declared.items():
        if isinstance(value, float) and (fact in _VERSIONS or fact.endswith(_VERSIONS)):
            message = f"a version without quotes reads as the number {value}: write it in quotes"
            yield (*path, fact), message, False


def _tables(exp: Experiment, names: Names) -> Iterator[Finding]:
    tables: list[tuple[Path, Any]] = [
        (names.place("report", "tables", index), table)
        for index, table in enumerate(exp.report.tables)
    ]
    if exp.report.table is not None:
        tables.insert(0, (("report", "table"), exp.report.table))
    for path, table in tables:
        for index, row in enumerate(table.rows):
            if row not in (*PSEUDO_FACTORS, *names.factors):
                hint = did_you_mean(row, names.factors)
                yield (*path, "rows", index), f"unknown factor `{row}`{hint}", False
        for index, column in enumerate(table.columns):
            problem = check_column(column, names.metrics)
            if problem is None and _lacks_baseline(column, names):
                problem = f"`{column}` needs a `baseline`, and there is none"
            if problem:
                yield (*path, "columns", index), problem, False


def _lacks_baseline(column: str, names: Names) -> bool:
    return column.endswith(".vs_baseline") and "baseline" not in names.sections


def _figures(exp: Experiment, names: Names) -> Iterator[Finding]:
    for number, figure in enumerate(exp.report.figures):
        path = names.place("report", "figures", number)
        places = ("time", "step", *names.factors)
        if figure.over not in places:
            hint = did_you_mean(figure.over, places)
            message = f"a figure is drawn over time, step or a factor, not `{figure.over}`{hint}"
            yield (*path, "over"), message, False
        for index, shown in enumerate(figure.show):
            if figure.over == "time":
                metric = exp.metrics.get(shown)
                if metric is not None and metric.series is not None:
                    continue
                problem = check_reference(shown) or _not_sampled(shown)
            else:
                problem = check_column(shown, names.metrics)
            if problem:
                yield (*path, "show", index), problem, False


def _not_sampled(shown: str) -> str | None:
    from runner.kinds.sources import fields

    known = sorted(fields({}))
    if shown in known:
        return None
    return f"`{shown}` is not sampled over time{did_you_mean(shown, known)}"
