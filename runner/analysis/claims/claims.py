"""Claims of a spec and the estimates of a run → a verdict for each.

A published number with levels of its own (`by: step`) gives one case per level,
`3.2.1/1000`, so that each number gets its verdict. Numbers are compared in base
units; a bare published number is in the claim's unit, else in its metric's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.case import INCONCLUSIVE, Case, Common, Selection
from runner.analysis.claims.estimates import DETERMINED
from runner.analysis.claims.levels import boards, of_kind
from runner.analysis.claims.must import resolved
from runner.analysis.claims.pairing import apart_across, blocks, censored_truths, matching, started
from runner.analysis.claims.statements import differences
from runner.analysis.claims.verdict import judge_all
from runner.analysis.model import ClaimResult, Estimate
from runner.records.quantities import in_unit
from runner.records.units import POWERS, RATE, UnitError, read_unit
from runner.spec.dimensions import (
    SECOND,
    DimensionError,
    Measure,
    arithmetic,
    bare_unit,
    lenient,
)
from runner.spec.expressions import Binary, references
from runner.spec.sections.computed import in_order
from runner.spec.treatments import stated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.claims.case import Judgement
    from runner.analysis.claims.must import Varied
    from runner.analysis.model import Trial
    from runner.records.plain import Json
    from runner.spec.claims import Claim, Range
    from runner.spec.experiment import Experiment
    from runner.spec.expressions import Expression, Ref

SHARE: Final = "share of repetitions"
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
    facts: Mapping[str, Json | Varied],
    notes: Sequence[str] = (),
) -> tuple[ClaimResult, ...]:
    """Judge every claim of the experiment, together: Holm needs them all.

    `notes` stand beside the reason of every verdict.
    """
    among = boards(measured)
    by_kind = of_kind(measured) if any(one.scope for one in experiment.claims) else ()
    asked = [
        _scoped(item, len(among))
        for claim in experiment.claims
        for item in _cases(claim, experiment, by_kind if claim.scope else measured, trials, facts)
    ]
    return tuple(
        ClaimResult(
            id=judged.id,
            section=item.claim.section or "",
            quote=item.claim.quote,
            published=item.published,
            verdict=judged.verdict or INCONCLUSIVE,  # a draft that nothing decided
            reason=judged.reason,
            estimate=judged.estimate,
            unit=judged.unit or item.unit,
            interval=judged.interval,
            level=judged.level,
            n=judged.n,
            values=judged.values,
            region=judged.region,
            facts=tuple(fact.row() for fact in judged.facts),
            trials=item.trials,
            required=item.claim.required,
            of=_of(item, judged),
            run_order=judged.order.text() if judged.order is not None else "",
        )
        for item, judged in zip(
            asked,
            judge_all([replace(x.case, notes=(*x.case.notes, *notes)) for x in asked]),
            strict=True,
        )
    )


def _scoped(item: _Asked, among: int) -> _Asked:
    """Say beside a verdict what boards it is of, where that is a question."""
    scope = ""
    if item.claim.scope == "kind":
        scope = f"of boards of this kind: {among} units, a median of blocks each"
    elif among > 1:
        scope = f"of these {among} boards"
    notes = (*item.case.notes, scope)
    return replace(item, case=replace(item.case, notes=notes)) if scope else item


def _of(item: _Asked, judged: Judgement) -> str:
    """Say what the estimate is, where it is not the published quantity."""
    if item.case.universal or item.case.estimand == "rate":
        return SHARE
    if item.case.truths is not None and judged.values:
        return DIFFERENCE
    if item.case.estimand in ("mean", "quantile"):
        of = item.case.estimand
        return f"{item.case.quantile:g} quantile" if of == "quantile" else of
    return ""


def _cases(
    claim: Claim,
    experiment: Experiment,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    facts: Mapping[str, Json | Varied],
) -> list[_Asked]:
    common: Common = {
        "must": claim.must,
        "declared": claim.declared,
        "observed": facts,
        "testable": claim.testable,
        "why": claim.why or "",
        "estimand": claim.estimand_kind,
        "quantile": claim.quantile,
        "bound": claim.limit,
        "order_effect": claim.order_effect or "",
    }
    if not claim.testable:
        return [_Asked(Case(claim.id, **common), claim, "", "", ())]
    timed = _timed(claim, experiment)
    if facts.get("emulated") and timed:
        common |= {
            "must": (*claim.must, "emulated"),
            "declared": {**claim.declared, "emulated": False},
        }
    if claim.states:
        return [_statement(claim, experiment, measured, trials, common)]
    published = claim.published
    metric = experiment.metrics[str(claim.metric)]
    of_rate = claim.estimand_kind == "rate"
    unit = claim.unit or ("%" if of_rate else bare_unit(metric, experiment.metrics))
    if published is None or published.by is None:
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
    published: Range | None,
    where: Mapping[str, str],
    unit: str,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    common: Common,
) -> _Asked:
    bounds = published.bounds(unit) if published is not None else None
    region = claim.margin.widen(bounds, unit) if claim.margin and bounds else bounds
    estimate = matching(measured, str(claim.metric), where)
    column = started(estimate)
    exact = bool(estimate and estimate.exact)
    why = common["why"] or (estimate.why if estimate else f"{claim.metric} has no value there")
    own_unit = estimate.unit if estimate and claim.estimand_kind != "rate" else ""
    shown = own_unit or unit
    used = _trials([estimate] if estimate else [], trials)
    here: Common = {
        **common, "why": why, "observed": resolved(common["observed"], where),
    }  # fmt: skip
    case = Case(
        name,
        unit=shown,
        published=bounds,
        region=region,
        values=column.values,
        censored=column.censored,
        ended=_ended(estimate, unit),
        kind="exact" if exact else "sampled",
        resolution=(estimate.resolution or 0.0) if estimate else 0.0,
        selection=_selection([estimate] if estimate else [], trials),
        **here,
    )
    return _Asked(case, claim, _text(claim, published, unit), shown, used)


def _text(claim: Claim, published: Range | None, unit: str) -> str:
    if published is None:
        return f"{claim.estimand_kind} (up to {claim.bound})"
    text = published.text(unit)
    return text if claim.estimand_kind == "median" else f"{_estimand(claim)} {text}"


def _estimand(claim: Claim) -> str:
    kind = claim.estimand_kind
    return f"{claim.quantile:g} quantile" if kind == "quantile" else kind


def _ended(estimate: Estimate | None, unit: str) -> str:
    """Say what the units are whose value is only a bound."""
    if estimate is None:
        return ""
    at = {
        value
        for value, one in zip(estimate.values, estimate.repetitions, strict=False)
        if one.censored and value is not None
    }
    ends = " or ".join(f"{in_unit(value, unit) if unit else value:g}" for value in sorted(at))
    if ends:
        return f"repetitions ended at the bound {ends} {unit}".rstrip() + ": widen the range"
    return f"repetitions have no value ({estimate.why})" if estimate.why else ""


def _statement(
    claim: Claim,
    experiment: Experiment,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    common: Common,
) -> _Asked:
    joined = blocks(claim, stated(experiment, claim), measured, common["observed"])
    here: Common = {**common, "observed": resolved(common["observed"], claim.where)}
    expression, columns = joined.expression, joined.columns
    estimates = joined.estimates
    # facts and exact metrics leave nothing to chance: one block is enough
    kind = "exact" if all(_determined(item, experiment) for item in estimates) else "sampled"
    apart, region = differences(expression, columns) or ((), None)
    held, sides = censored_truths(joined)
    unit = ""
    if not any(value is not None for value in apart) or any(sides):
        apart, region = (), None
    elif estimates:
        unit = _unit_apart(expression, estimates[0].unit, experiment)
    text = str(claim.expect or claim.same)
    published = claim.published
    bounds = None
    if published is not None:
        bounds = published.bounds("%")
        region = claim.margin.widen(bounds, "%") if claim.margin else bounds
        text = f"{text}: {published.text('%')}"
    if claim.estimand_kind in ("never", "always"):
        text = f"{claim.estimand_kind} {text} (up to {claim.bound})"
    case = Case(
        claim.id, unit=unit, truths=held, values=apart, censored=sides, region=region,
        published=bounds, kind=kind, selection=_selection(estimates, trials),
        notes=apart_across(claim, experiment, joined), **here,
    )  # fmt: skip
    return _Asked(case, claim, text, unit, _trials(estimates, trials))


def _determined(item: Estimate, experiment: Experiment) -> bool:
    """Whether nothing of it is left to chance: a word that a program prints is, as a number."""
    source = experiment.metrics[item.metric].source or ""
    return item.exact or (item.one_text and source.startswith(DETERMINED))


def _unit_apart(expression: Expression, shown: str, experiment: Experiment) -> str:
    """Name the unit of left - right; `shown`, that of its first metric, where it is one of it."""
    metrics = experiment.metrics

    def of(ref: Ref) -> Measure:
        metric = metrics.get(ref.name)
        return Measure("", free=True) if metric is None else lenient(metric, metrics)

    assert isinstance(expression, Binary)  # noqa: S101 - one comparison has a difference
    try:
        sides = [arithmetic(side, of, "expect") for side in (expression.left, expression.right)]
    except DimensionError:  # of an old record
        return ""
    side = next((one for one in sides if not one.free), sides[0])
    try:
        alike = any(side.powers) and read_unit(shown).powers == side.powers
    except UnitError:
        alike = False
    return shown if alike else side.unit


def _selection(estimates: Sequence[Estimate], trials: Sequence[Trial]) -> Selection:
    """Count the attempts of the treatments that a claim rests on, and those thrown away."""
    cells = [item.treatment for item in estimates]
    used = [trial for trial in trials if trial.treatment in cells]
    return Selection(len(used), sum(trial.outcome == "invalid" for trial in used))


def _trials(estimates: Sequence[Estimate], trials: Sequence[Trial]) -> tuple[str, ...]:
    used = [t.id for item in estimates for t in trials if dict(t.treatment) == dict(item.treatment)]
    return tuple(dict.fromkeys(used))


def _timed(claim: Claim, experiment: Experiment) -> bool:
    """Whether a claim rests on a quantity that depends on the machine's speed."""
    names = [str(claim.metric)] if claim.metric else []
    statement = stated(experiment, claim)
    if statement is not None:
        names += [ref.name for ref in references(statement)]
    return any(_slow(name, experiment) for name in names)


def _slow(name: str, experiment: Experiment) -> bool:
    return any(_slow_itself(one, experiment) for one in in_order(experiment.metrics, name))


def _slow_itself(name: str, experiment: Experiment) -> bool:
    metric = experiment.metrics[name]
    return (
        (metric.source or "").startswith(TIMED)
        or (metric.as_ or "").startswith("rate/")
        or lenient(metric, experiment.metrics).powers in {SECOND, POWERS[RATE]}
    )
