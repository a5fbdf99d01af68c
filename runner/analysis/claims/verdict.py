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
    found = _measured(case)
    found = replace(found, facts=table(case.must, case.declared, case.observed))
    if found.verdict == NOT_MEASURED:
        return found
    if found.hangs and any(fact.equal is False for fact in found.facts):
        return replace(found, verdict=NOT_MEASURED, reason=_hanging(found), p=None)
    differing = [fact for fact in found.facts if fact.equal is False]
    if differing:
        said = "; ".join(f"{f.name}: declared {f.declared}, here {f.observed}" for f in differing)
        return replace(found, verdict=NOT_COMPARABLE, reason=said, p=None)
    return found


def _measured(case: Case) -> Judgement:
    if case.universal:
        return shares_of_units.universal(case)
    if case.estimand == "rate":
        return shares_of_units.rate(case)
    return shares_of_units.statement(case) if case.truths is not None else numbers.draft(case)


def _finished(case: Case, draft: Judgement, family: int) -> Judgement:
    found = _decided(case, draft, family)
    if found.verdict in (NOT_TESTABLE, NOT_MEASURED, NOT_COMPARABLE):
        return _noted(case, found)
    found = replace(found, order=_order(case))
    if found.level != 1.0 and not _exact(case):
        found = _ordered(case, found)
        found = counting_in(case, found)
    undeclared = [fact.name for fact in found.facts if fact.equal is None]
    if undeclared and found.verdict == CONTRADICTED:
        said = f"{found.reason}; {words.silent(undeclared)}"
        found = replace(found, verdict=DIFFERS, reason=said)
    elif undeclared and found.verdict == REPRODUCED:
        said = (
            f"it holds here: {found.reason}; but {words.silent(undeclared)}, so that an agreement "
            "says as little of the source as a difference would"
        )
        found = replace(found, verdict=INCONCLUSIVE, reason=said, lean=REPRODUCED)
    return _noted(case, found)


def _noted(case: Case, found: Judgement) -> Judgement:
    if not case.notes or not found.n:
        return found
    return replace(found, reason="; ".join((found.reason, *case.notes)))


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
    told = [value for value in (*case.values, *(case.truths or ())) if value is not None]
    return case.kind == "exact" and len(set(told)) <= 1 and not any(case.censored)


def _order(case: Case) -> RunOrder | None:
    """Look for an order effect in what the verdict rests on: values, or blocks that hold."""
    if _exact(case):
        return None
    numbers_ = [low for low, _ in bounds(case.values, case.censored)]
    if len(numbers_) > 1:
        return check(numbers_)
    return check([float(value) for value in case.truths or () if value is not None])


def _ordered(case: Case, found: Judgement) -> Judgement:
    """Take back what independence would have to carry; say what is assumed."""
    if found.verdict not in (REPRODUCED, CONTRADICTED):
        return found
    if case.universal and found.verdict == CONTRADICTED:
        return found  # a counterexample is one in any order
    order = found.order
    if order is None or not order.found:
        said = assumed(found.n) if found.n < 2 or order is not None or case.universal else ""
        return replace(found, reason=f"{found.reason}, {said}") if said else found
    if case.order_effect:
        return replace(
            found, reason=f"{found.reason}; {order.text()}, for a stated cause: {case.order_effect}"
        )
    if _beyond_order(case, found):
        by = amount(max(found.values) - min(found.values), found.unit or case.unit)
        said = f"{order.text()}, by no more than {by}: {REACH} times that changes nothing"
        return replace(found, reason=f"{found.reason}; {said}")
    lean = found.verdict
    said = (
        f"{order.text()}: the repetitions are not independent, so {_short(found)} is not enough "
        f"({power_text(found.n)}); compare within blocks, repeat in a fresh order, or give the "
        "cause as `order_effect`"
    )
    return replace(found, verdict=INCONCLUSIVE, reason=said, lean=lean, more=None)


def _beyond_order(case: Case, found: Judgement) -> bool:
    """Whether a verdict stands whichever way the order went on moving the values.

    They have been seen to move by their whole range, trend and noise together. The interval is
    moved by REACH of those towards the edge of its region that would change the verdict.
    """
    if found.interval is None or found.region is None or any(case.censored):
        return False
    if case.universal or case.estimand == "rate" or not found.values:
        return False  # in shares of the repetitions, and not in what was measured
    reach = REACH * (max(found.values) - min(found.values))
    (low, high), (least, most) = found.interval, found.region
    below, above = (
        least is not None and high + reach < least,
        most is not None and low - reach > most,
    )
    if found.verdict == CONTRADICTED:
        return below or above
    return (least is None or low - reach >= least) and (most is None or high + reach <= most)


def _short(found: Judgement) -> str:
    return f"that {found.reason}" if found.reason.startswith(("the ", "it ")) else found.reason
