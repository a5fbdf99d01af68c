"""What the data says of a published number: the first verdict that applies.

    1. not testable    the claim says so
    2. not measured    too few valid units, guards kept breaking, or it hangs on what lies
                       beyond a value that is only a bound
    3. not comparable  a fact of the claim's `must` list differs from what it declares
    4. reproduced      the 90 % interval lies inside the region (TOST at 5 %)
    5. contradicted    the interval lies wholly outside, wrongly so in at most 2.5 % of
                       experiments (Holm across the claims): the 95 % one for an open range or
                       a statement, which can be missed on one side, the 97.5 % one for a range
                       with two ends, which can be missed on either;
                       `differs (environment undeclared)` where the source is silent on a fact
    6. inconclusive    with its lean, and about how many more repetitions would decide

The region is the published range widened by the margin, both fixed before the
data. An interval of a median is its order-statistic interval, so verdict 5
is a sign test and needs at least 6 values, or 7 for a range with two ends,
verdict 4 at least 5. `never` and `always` fall on one counterexample, which is not a test.

Two things keep 4 and 5 from being said: values that depend on when they were measured, unless
the spec gives the cause, or what they moved by is far too little to matter; and a fact that the
source does not declare, which makes a difference `differs` and an agreement `inconclusive`:
neither is the source's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims import numbers, shares_of_units, words
from runner.analysis.claims.case import (
    ALPHA,
    CONTRADICTED,
    DIFFERS,
    INCONCLUSIVE,
    NOT_COMPARABLE,
    NOT_MEASURED,
    NOT_TESTABLE,
    REPRODUCED,
    Judgement,
)
from runner.analysis.claims.must import table
from runner.analysis.claims.selection import counting_in
from runner.analysis.claims.undecided import undecided
from runner.analysis.stats.censored import bounds
from runner.analysis.stats.run_order import assumed, check, power_text
from runner.analysis.stats.significance import holm
from runner.records.amounts import amount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.analysis.claims.case import Case
    from runner.analysis.stats.run_order import RunOrder

DECIDED = (REPRODUCED, CONTRADICTED, DIFFERS)
REACH: Final = 3
"""Ranges of the values that an order effect is given beyond what was seen of it. Of series with a
correlation of 0.97 from one to the next one in a hundred goes further, of 0.9 one in a thousand:
benchmarks/calibration, "Order effects that are let pass"."""


def judge_all(cases: Iterable[Case]) -> tuple[Judgement, ...]:
    """Judge an experiment's claims together, in the order given."""
    drafts = [(case, _draft(case)) for case in cases]
    # a reproduced claim was tested too: leaving it out would make the family depend on the data
    adjusted = holm({str(at): d.p for at, (_, d) in enumerate(drafts) if d.p is not None})
    return tuple(
        _finished(case, replace(draft, p_holm=adjusted.get(str(at))), len(adjusted))
        for at, (case, draft) in enumerate(drafts)
    )


def judge(case: Case) -> Judgement:
    """Judge one claim by itself."""
    return judge_all([case])[0]


def _draft(case: Case) -> Judgement:
    """Verdicts 1 to 4; an empty verdict waits for Holm."""
    if not case.testable:
        return Judgement(case.id, NOT_TESTABLE, case.why or "the claim gives no reason")
    judgement = _measured(case)
    judgement = replace(judgement, facts=table(case.must, case.declared, case.observed))
    if judgement.verdict == NOT_MEASURED:
        return judgement
    if judgement.hangs and any(fact.equal is False for fact in judgement.facts):
        return replace(judgement, verdict=NOT_MEASURED, reason=_hanging(judgement), p=None)
    differing = [fact for fact in judgement.facts if fact.equal is False]
    if differing:
        reason = "; ".join(f"{f.name}: declared {f.declared}, here {f.observed}" for f in differing)
        return replace(judgement, verdict=NOT_COMPARABLE, reason=reason, p=None)
    return judgement


def _measured(case: Case) -> Judgement:
    if case.universal:
        return shares_of_units.universal(case)
    if case.estimand == "rate":
        return shares_of_units.rate(case)
    return shares_of_units.statement(case) if case.truths is not None else numbers.draft(case)


def _finished(case: Case, draft: Judgement, family: int) -> Judgement:
    judgement = _decided(case, draft, family)
    if judgement.verdict in (NOT_TESTABLE, NOT_MEASURED, NOT_COMPARABLE):
        return _noted(case, judgement)
    judgement = replace(judgement, order=_order(case))
    if judgement.level != 1.0 and not _exact(case):
        judgement = _ordered(case, judgement)
        judgement = counting_in(case, judgement)
    undeclared = [fact.name for fact in judgement.facts if fact.equal is None]
    if undeclared and judgement.verdict == CONTRADICTED:
        reason = f"{judgement.reason}; {words.silent(undeclared)}"
        judgement = replace(judgement, verdict=DIFFERS, reason=reason)
    elif undeclared and judgement.verdict == REPRODUCED:
        reason = (
            f"it holds here: {judgement.reason}; but {words.silent(undeclared)}, so that an "
            "agreement says as little of the source as a difference would"
        )
        judgement = replace(judgement, verdict=INCONCLUSIVE, reason=reason, lean=REPRODUCED)
    return _noted(case, judgement)


def _noted(case: Case, judgement: Judgement) -> Judgement:
    if not case.notes or not judgement.n:
        return judgement
    return replace(judgement, reason="; ".join((judgement.reason, *case.notes)))


def _decided(case: Case, draft: Judgement, family: int) -> Judgement:
    """Verdicts 5 and 6."""
    if draft.verdict:
        return draft
    if draft.p_holm is not None and draft.p_holm <= ALPHA + 1e-12:
        reason = f"{_against(case, draft)} (p = {draft.p_holm:.2g}, Holm over {family} claims)"
        return replace(draft, verdict=CONTRADICTED, reason=reason)
    if draft.hangs:
        return replace(draft, verdict=NOT_MEASURED, reason=_hanging(draft))
    return undecided(case, draft, family)


def _hanging(draft: Judgement) -> str:
    return f"the verdict hangs on what is unknown: {draft.hangs}"


def _against(case: Case, draft: Judgement) -> str:
    if case.truths is not None and case.estimand != "rate":
        return f"it fails in {shares_of_units.false_blocks(case.truths)} of {draft.n} blocks"
    where = words.region(draft.region, draft.unit or case.unit)
    return f"the interval of {draft.n} repetitions lies outside {where}"


def _exact(case: Case) -> bool:
    known = [value for value in (*case.values, *(case.truths or ())) if value is not None]
    return case.kind == "exact" and len(set(known)) <= 1 and not any(case.censored)


def _order(case: Case) -> RunOrder | None:
    """Look for an order effect in what the verdict rests on: values, or blocks that hold."""
    if _exact(case):
        return None
    numbers_ = [low for low, _ in bounds(case.values, case.censored)]
    if len(numbers_) > 1:
        return check(numbers_)
    return check([float(value) for value in case.truths or () if value is not None])


def _ordered(case: Case, judgement: Judgement) -> Judgement:
    """Take back what independence would have to carry; say what is assumed."""
    if judgement.verdict not in (REPRODUCED, CONTRADICTED):
        return judgement
    if case.universal and judgement.verdict == CONTRADICTED:
        return judgement  # a counterexample is one in any order
    order = judgement.order
    if order is None or not order.found:
        reason = (
            assumed(judgement.n) if judgement.n < 2 or order is not None or case.universal else ""
        )
        return replace(judgement, reason=f"{judgement.reason}, {reason}") if reason else judgement
    if case.order_effect:
        return replace(
            judgement,
            reason=f"{judgement.reason}; {order.text()}, for a stated cause: {case.order_effect}",
        )
    if _beyond_order(case, judgement):
        by = amount(max(judgement.values) - min(judgement.values), judgement.unit or case.unit)
        reason = f"{order.text()}, by no more than {by}: {REACH} times that changes nothing"
        return replace(judgement, reason=f"{judgement.reason}; {reason}")
    lean = judgement.verdict
    reason = (
        f"{order.text()}: the repetitions are not independent, so {_short(judgement)} is not "
        f"enough ({power_text(judgement.n)}); compare within blocks, repeat in a fresh order, or "
        "give the cause as `order_effect`"
    )
    return replace(judgement, verdict=INCONCLUSIVE, reason=reason, lean=lean, more=None)


def _beyond_order(case: Case, judgement: Judgement) -> bool:
    """Whether a verdict stands whichever way the order went on moving the values.

    They have been seen to move by their whole range, trend and noise together. The interval is
    moved by REACH of those towards the edge of its region that would change the verdict.
    """
    if judgement.interval is None or judgement.region is None or any(case.censored):
        return False
    if case.universal or case.estimand == "rate" or not judgement.values:
        return False  # in shares of the repetitions, and not in what was measured
    reach = REACH * (max(judgement.values) - min(judgement.values))
    (low, high), (least, most) = judgement.interval, judgement.region
    below, above = (
        least is not None and high + reach < least,
        most is not None and low - reach > most,
    )
    if judgement.verdict == CONTRADICTED:
        return below or above
    return (least is None or low - reach >= least) and (most is None or high + reach <= most)


def _short(judgement: Judgement) -> str:
    reason = judgement.reason
    return f"that {reason}" if reason.startswith(("the ", "it ")) else reason
