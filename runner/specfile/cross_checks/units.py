"""What only the whole spec shows: numbers that are compared with numbers of another dimension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from runner.records.quantities import COUNT, RATIO, Quantity, unit_problem
from runner.records.units import POWERS, UnitError, read_unit
from runner.spec.dimensions import (
    LEVELS,
    PLAIN,
    DimensionError,
    Measure,
    arithmetic,
    dimension_name,
    measure,
    number,
)
from runner.spec.health import Reference

if TYPE_CHECKING:
    from runner.spec.claims import Claim, Range
    from runner.spec.dimensions import Known
    from runner.spec.experiment import Experiment
    from runner.spec.expressions import Expression, Ref
    from runner.spec.health import Rule
    from runner.spec.metrics import Metric
    from runner.specfile.names import Finding, Names
    from runner.specfile.values import Path

RULES = ("healthy", "guards", "abort_when")
PARTS = ("low", "high", "value", "rounded_to", "plus_minus")


def check_units(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Check the dimension of everything that is compared."""
    known: Known = {}
    for name, metric in exp.metrics.items():
        yield from _metric(metric, ("metrics", name), exp, known)
    for section in RULES:
        for rule in getattr(exp, section):
            yield from _rule(rule, place_of(section, rule, names))
    for index, claim in enumerate(exp.claims):
        yield from _claim(claim, names.place("claims", index), exp)


def place_of(section: str, rule: Rule, names: Names) -> Path:
    """Find a rule in the file: refused ones before it have moved it up."""
    written = names.data.get(section)
    for index, text in enumerate(written if isinstance(written, list) else ()):
        if isinstance(text, str) and " ".join(text.split()) == rule.text:
            return (section, index)
    return (section,)


def _metric(metric: Metric, path: Path, exp: Experiment, known: Known) -> Iterator[Finding]:
    broken = False
    for key, unit in (("unit", metric.unit), ("printed_in", metric.printed_in)):
        problem = unit_problem(unit) if unit is not None else None
        if problem:
            broken = True
            yield (*path, key), problem, False
    if broken:
        return
    try:
        found = measure(metric, exp.metrics, known)
    except DimensionError as wrong:
        # what a metric is computed from says its own faults
        if wrong.key in ("compute", "unit", "printed_in") and _sound(metric, exp, known):
            yield (*path, wrong.key), str(wrong), False
        return
    if problem := _level_unit(metric, found, exp):
        yield (*path, "unit" if metric.unit else "from"), problem, False
    if metric.resolution is not None:
        problem = _differs(metric.resolution, found, bare=True)
        if problem:
            yield (*path, "resolution"), problem, False


def _level_unit(metric: Metric, found: Measure, exp: Experiment) -> str | None:
    """Say where a level of the search is shown as what it is not."""
    if metric.source not in LEVELS or exp.search is None:
        return None
    sizes = exp.search.in_bytes
    if sizes == (found.powers == POWERS["bytes"]):
        return None
    variable = exp.search.goal.variable
    if sizes:
        return f"levels of {variable} are sizes here: say unit: MiB"
    return f"levels of {variable} are not sizes, and `{metric.unit}` is a unit of size"


def _sound(metric: Metric, exp: Experiment, known: Known) -> bool:
    """Say whether the metrics that it is computed from have no fault of their own."""
    from runner.spec.expressions import references

    if metric.expression is None:
        return True
    for ref in references(metric.expression):
        below = exp.metrics.get(ref.name)
        try:
            if below is not None and below is not metric:
                measure(below, exp.metrics, known)
        except DimensionError:
            return False
    return True


def of(metric: Metric, metrics: Mapping[str, Metric]) -> Measure | None:
    """Give what a metric is; of one with a wrong unit what it is by itself."""
    for one in (metric, metric.model_copy(update={"unit": None, "printed_in": None})):
        try:
            return measure(one, metrics)
        except DimensionError:
            continue
    return None


def _differs(amount: Quantity, what: Measure, *, bare: bool = False) -> str | None:
    """Say how an amount and what it stands beside differ, or None.

    `bare`: a number without a unit is in the unit of what it stands beside.
    """
    powers = POWERS[amount.dimension]
    if amount.dimension == COUNT:
        if bare or amount.exact == 0:
            return None
        if what.needs_unit or (what.unit == "%" and abs(amount.exact) > 1):
            return f"{amount} of what? write {_example(amount, what)}"
        return None
    if what.powers == powers and not (amount.dimension == RATIO and _counts(what)):
        return None
    # of a plain number a share may be said in per cent
    hint = "" if any(what.powers) or what.unit else ": say the unit of what is printed"
    return f"`{amount}` is {_said(amount)}, and it stands beside {what.said}{hint}"


def _said(amount: Quantity) -> str:
    return "a ratio" if amount.dimension == RATIO else dimension_name(POWERS[amount.dimension])


def _counts(what: Measure) -> bool:
    """Say whether a number counts something: a share of it is something else."""
    if what.powers != PLAIN or not what.unit or what.unit == "%":
        return False
    try:
        return read_unit(what.unit).dimension == COUNT
    except UnitError:
        return False


def _example(amount: Quantity, what: Measure) -> str:
    unit = {"B": "MiB", "s": "ms", "Hz": "MHz"}.get(what.unit, what.unit)
    return f"{amount}{unit}" + (f" or {amount}s" if unit == "ms" else "")


def _rule(rule: Rule, path: Path) -> Iterator[Finding]:
    what = number(f"{rule.subject}.gained" if rule.gained else rule.subject)
    if isinstance(rule.value, Quantity):
        if what.free:
            if rule.value.dimension != COUNT:
                message = (
                    f"`{rule.subject}` is printed without a unit: compare it with a bare number, "
                    f"not with {rule.value}"
                )
                yield path, message, False
            return
        problem = _differs(rule.value, what)
        if problem:
            yield path, problem, False
    elif isinstance(rule.value, Reference):
        other = number(rule.value.name)
        if not what.free and not other.free and what.powers != other.powers:
            message = f"`{rule.subject}` is {what.said}, and `{rule.value.name}` is {other.said}"
            yield path, message, False


def _claim(claim: Claim, path: Path, exp: Experiment) -> Iterator[Finding]:
    if claim.statement is not None:
        yield from _statement(claim.statement, path, exp)
    metric = exp.metrics.get(str(claim.metric))
    what = None if metric is None else _claimed(claim, metric, exp)
    if metric is None or what is None:
        return
    bare = bool(metric.unit or metric.printed_in or what.unit not in ("B", "s", "Hz", "°C", "%"))
    if claim.unit is not None:
        bare = True
        try:
            unit = read_unit(claim.unit)
        except UnitError:
            return  # told beside the unit itself
        if unit.powers != what.powers:
            said = f"`{claim.unit}` is {dimension_name(unit.powers)}, and the metric is {what.said}"
            yield (*path, "unit"), said, False
            return
    if claim.published is not None:
        yield from _range(claim.published, (*path, "published"), what, bare=bare)
        for level, one in claim.published.levels.items():
            yield from _range(one, (*path, "published", "levels", level), what, bare=bare)
    if claim.margin is not None and claim.margin.absolute is not None:
        problem = _differs(claim.margin.absolute, what, bare=bare)
        if problem:
            yield (*path, "margin", "absolute"), problem, False


def _claimed(claim: Claim, metric: Metric, exp: Experiment) -> Measure | None:
    """Give what the published number is: of a rate how often, whatever is looked at."""
    return Measure("%") if claim.estimand_kind == "rate" else of(metric, exp.metrics)


def _statement(statement: Expression, path: Path, exp: Experiment) -> Iterator[Finding]:
    def lookup(ref: Ref) -> Measure:
        metric = exp.metrics.get(ref.name)
        found = None if metric is None else of(metric, exp.metrics)
        return found or Measure("", free=True)

    try:
        arithmetic(statement, lookup, "expect")
    except DimensionError as wrong:
        yield (*path, "expect"), str(wrong), False


def _range(published: Range, path: Path, what: Measure, *, bare: bool) -> Iterator[Finding]:
    for part in PARTS:
        amount = getattr(published, part)
        problem = None if amount is None else _differs(amount, what, bare=bare)
        if problem:
            yield (*path, part), problem, False
