"""Claims of a spec and the estimates of a run → a verdict for each.

A published number with levels of its own (`by: step`) gives one case per level,
`3.2.1/1000`, so that each number gets its verdict. Numbers are compared in base
units; a bare published number is in the claim's unit, else in its metric's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runner.analysis.claims.statements import differences, truths
from runner.analysis.claims.verdict import Case, judge_all
from runner.analysis.model import ClaimResult, Estimate
from runner.records.quantities import RATE, TIME, unit_factor
from runner.spec.expressions import Binary, Number, Ref, Unary, Word, references

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Trial
    from runner.spec.claims import Claim, Range
    from runner.spec.experiment import Experiment
    from runner.spec.expressions import Expression

DIFFERENCE: Final = "left − right"
"""What the estimate of a statement is: how far apart its two sides are."""
TIMED: Final = ("load.", "search.", "gctrace.pause", "psi.", "host.cpu", "build.seconds")
"""Sources that depend on the speed of the machine, as whatever is measured in time or per
time does: an emulated board cannot judge them."""


@dataclass(frozen=True)
class _Asked:
    """One case beside what the report says of it."""

    case: Case
    claim: Claim
    published: str
    unit: str
    trials: tuple[str, ...]


def claim_results(
    experiment: Experiment,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    facts: Mapping[str, Any],
) -> tuple[ClaimResult, ...]:
    """Judge every claim of the experiment, together: Holm needs them all."""
    asked = [
        item
        for claim in experiment.claims
        for item in _cases(claim, experiment, measured, trials, facts)
    ]
    return tuple(
        ClaimResult(
            id=judged.id,
            section=item.claim.section or "",
            quote=item.claim.quote,
            published=item.published,
            verdict=judged.verdict,
            reason=judged.reason,
            estimate=judged.estimate,
            unit=item.unit,
            interval=judged.interval,
            n=judged.n,
            values=judged.values,
            region=judged.region,
            facts=tuple(fact.row() for fact in judged.facts),
            trials=item.trials,
            required=item.claim.required,
            of=DIFFERENCE if item.case.truths is not None and judged.values else "",
        )
        for item, judged in zip(asked, judge_all([x.case for x in asked]), strict=True)
    )


def _cases(
    claim: Claim,
    experiment: Experiment,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    facts: Mapping[str, Any],
) -> list[_Asked]:
    common: dict[str, Any] = {
        "must": claim.must,
        "declared": claim.declared,
        "observed": facts,
        "testable": claim.testable,
        "why": claim.why or "",
    }
    if not claim.testable:
        return [_Asked(Case(claim.id, **common), claim, "", "", ())]
    timed = _timed(claim, experiment)
    if facts.get("emulated") and timed:
        common |= {
            "must": (*claim.must, "emulated"),
            "declared": {**claim.declared, "emulated": False},
        }
    if claim.expect is not None:
        return [_statement(claim, measured, trials, common)]
    published = claim.published
    assert published is not None  # noqa: S101 - the model has exactly one of published and expect
    metric = experiment.metrics[str(claim.metric)]
    unit = claim.unit or metric.unit or ""
    if published.by is None:
        return [_published(claim, claim.id, published, claim.where, unit, measured, trials, common)]
    return [
        _published(
            claim, f"{claim.id}/{level}", one, {**claim.where, published.by: level}, unit,
            measured, trials, common,
        )
        for level, one in published.levels.items()
    ]  # fmt: skip


def _published(
    claim: Claim,
    name: str,
    published: Range,
    where: Mapping[str, str],
    unit: str,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    common: Mapping[str, Any],
) -> _Asked:
    bounds = published.bounds(unit)
    region = claim.margin.widen(bounds, unit) if claim.margin else bounds
    found = matching(measured, str(claim.metric), where)
    values = found.values if found else ()
    exact = bool(found and found.level == 1.0)
    why = common["why"] or (found.why if found else f"{claim.metric} has no value there")
    shown = found.unit if found and found.unit else unit
    case = Case(
        name,
        unit=shown,
        published=bounds,
        region=region,
        values=values,
        kind="exact" if exact else "sampled",
        **{**common, "why": why},
    )
    return _Asked(case, claim, published.text(unit), shown, _trials(found, trials))


def _statement(
    claim: Claim,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    common: Mapping[str, Any],
) -> _Asked:
    expression, columns, found = blocks(claim, measured, common["observed"])
    used = [name for item in found for name in _trials(item, trials)]
    # facts and exact metrics leave nothing to chance: one block is enough
    kind = "exact" if all(item.level == 1.0 for item in found) else "sampled"
    apart, region = differences(expression, columns) or ((), None)
    unit = found[0].unit if found else ""
    if not any(value is not None for value in apart):
        apart, region, unit = (), None, ""
    case = Case(
        claim.id, unit=unit, truths=truths(expression, columns), values=apart, region=region,
        kind=kind, **common,
    )  # fmt: skip
    return _Asked(case, claim, str(claim.expect), unit, tuple(dict.fromkeys(used)))


def blocks(
    claim: Claim, measured: Sequence[Estimate], observed: Mapping[str, Any]
) -> tuple[Expression, dict[Ref, tuple[Any, ...]], tuple[Estimate, ...]]:
    """Give the claim's statement, its values by repetition, and the estimates they are of."""
    expression = _with_where(claim.statement, tuple(claim.where.items()))
    columns: dict[Ref, tuple[Any, ...]] = {}
    used: list[Estimate] = []
    longest = 1
    for ref in references(expression):
        found = matching(measured, ref.name, dict(ref.where))
        if found is not None:
            texts = found.n == 0 and bool(found.why) and all(v is None for v in found.values)
            columns[ref] = (found.why,) * len(found.values) if texts else found.values
            longest = max(longest, len(found.values))
            used.append(found)
    for ref in references(expression):
        if ref not in columns:
            fact = observed.get(ref.name.removeprefix("facts."))
            value = fact if isinstance(fact, str | int | float | bool) else None
            columns[ref] = (value,) * longest
    return expression, columns, tuple(used)


def _with_where(expression: Expression | None, where: tuple[tuple[str, str], ...]) -> Expression:
    """Narrow every reference by the claim's own `where`."""
    match expression:
        case Ref(name, own):
            return Ref(name, own + tuple(x for x in where if x[0] not in dict(own)))
        case Unary(op, operand):
            return Unary(op, _with_where(operand, where))
        case Binary(op, left, right):
            return Binary(op, _with_where(left, where), _with_where(right, where))
        case Number() | Word():
            return expression
        case _:
            raise TypeError("a claim without a statement")


def matching(
    measured: Sequence[Estimate], metric: str, where: Mapping[str, str]
) -> Estimate | None:
    """Find the one estimate that `where` names; None where there is none, or several."""
    found = [
        item
        for item in measured
        if item.metric == metric
        and all(
            (item.step if key == "step" else item.treatment.get(key)) == level
            for key, level in where.items()
        )
    ]
    return found[0] if len(found) == 1 else None


def _trials(found: Estimate | None, trials: Sequence[Trial]) -> tuple[str, ...]:
    if found is None:
        return ()
    return tuple(t.id for t in trials if dict(t.treatment) == dict(found.treatment))


def _timed(claim: Claim, experiment: Experiment) -> bool:
    """Whether a claim rests on a quantity that depends on the machine's speed."""
    names = [str(claim.metric)] if claim.metric else []
    if claim.statement is not None:
        names += [ref.name for ref in references(claim.statement)]
    return any(_slow(name, experiment) for name in names)


def _slow(name: str, experiment: Experiment) -> bool:
    metric = experiment.metrics.get(name)
    if metric is None:
        return False
    if metric.expression is not None and any(
        _slow(ref.name, experiment) for ref in references(metric.expression)
    ):
        return True
    return (
        (metric.source or "").startswith(TIMED)
        or (metric.as_ or "").startswith("rate/")
        or unit_factor(metric.unit or "")[0] in {TIME, RATE}
    )
