"""Drafts for statements and shares: in each unit something holds, or it does not.

A statement is a sign test over blocks. `never` and `always` fall on one counterexample; without
one they are shown up to their bound, with the one-sided 95 % bound of Clopper and Pearson. A
rate is a share with its two-sided 90 % interval.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.analysis.claims import words
from runner.analysis.claims.case import (
    ALPHA,
    ALPHA_INSIDE,
    CONTRADICTED,
    INCONCLUSIVE,
    LEVEL_INSIDE,
    NOT_MEASURED,
    REPRODUCED,
    Judgement,
    sides,
)
from runner.analysis.claims.numbers import unmeasured
from runner.analysis.stats.censored import bounds
from runner.analysis.stats.intervals import median_interval, smallest_n
from runner.analysis.stats.shares import at_least, at_most, clean_runs, lower, upper
from runner.analysis.stats.significance import sign_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.claims.case import Case
    from runner.records.outcome import Verdict


def statement(case: Case) -> Judgement:
    """Judge by a sign test on blocks."""
    truths = [value for value in case.truths or () if value is not None]
    hidden = _hidden(case)
    values = tuple(float(v) for v in case.values if v is not None and math.isfinite(v))
    exact = case.kind == "exact" and len(set(truths)) <= 1
    n = len(truths) + hidden
    base = Judgement(case.id, "", "", n=n, values=values, region=case.region)
    if values:
        base = replace(base, estimate=statistics.median(values))
        interval = median_interval(values, LEVEL_INSIDE)
        if interval is not None:
            base = replace(base, interval=interval.bounds, level=interval.level)
    needed = 1 if exact else smallest_n(LEVEL_INSIDE)
    missing = unmeasured(case, n, needed)
    if missing:
        more = None if case.unmeasured else max(0, needed - n) or None
        return replace(base, verdict=NOT_MEASURED, reason=missing, more=more)
    true = sum(truths)
    if exact and truths:
        verdict: Verdict = REPRODUCED if truths[0] else CONTRADICTED
        outcome = "so" if truths[0] else "not so"
        return replace(base, verdict=verdict, reason=f"exact metrics: it is {outcome}")
    base = replace(base, p=sign_p(len(truths) - true, n), lean=_lean(true, n))
    if sign_p(true, n) <= ALPHA_INSIDE:
        unknown = f" ({hidden} of them unknown)" if hidden else ""
        return replace(
            base, verdict=REPRODUCED, reason=f"it holds in {true} of {n} blocks{unknown}"
        )
    decides = sign_p(true + hidden, n) <= ALPHA_INSIDE or sign_p(n - true, n) <= ALPHA
    return replace(base, hangs=_hang(hidden, n, case)) if hidden and decides else base


def _hidden(case: Case) -> int:
    """Count the blocks that ran, and of which a bound leaves open whether it holds."""
    bounded = [*case.censored, *[""] * (len(case.truths or ()) - len(case.censored))]
    pairs = zip(case.truths or (), bounded, strict=False)
    return sum(value is None and bool(side) for value, side in pairs)


def _hang(hidden: int, n: int, case: Case) -> str:
    return f"{hidden} of {n} {case.ended or 'blocks hold values that are only bounds'}"


def _lean(true: int, n: int) -> str:
    if 2 * true == n:
        return ""
    return REPRODUCED if 2 * true > n else CONTRADICTED


def universal(case: Case) -> Judgement:
    """Judge `never` and `always`: by a counterexample, or up to the bound."""
    failed, clean, hidden = counted(case)
    n = failed + clean + hidden
    base = Judgement(case.id, "", "", n=n, unit="%", region=(0.0, case.bound))
    if case.unmeasured or not n:
        cause = case.unmeasured or unmeasured(case, 0, 1)
        return replace(base, verdict=NOT_MEASURED, reason=cause)
    base = replace(
        base, estimate=failed / n, level=0.95,
        interval=(lower(failed, n) if failed else 0.0, upper(failed, n)),
    )  # fmt: skip
    what = "not so" if case.estimand == "always" else "so"
    if case.truths is None:
        what = "above 0"
    if failed:
        shown = f"one counterexample is enough: it is {what} in {failed} of {n} repetitions"
        if case.estimand == "never":
            shown = f"one is enough: it is {what} in {failed} of {n} repetitions"
        return replace(base, verdict=CONTRADICTED, reason=shown)
    allowed = f"{case.bound:.2%}"
    reach = upper(hidden, n)
    counts = f"{'0' if not hidden else f'at most {hidden}'} of {n} repetitions are {what}"
    if reach <= case.bound + 1e-12:
        reason = f"{counts}: with 95 % it happens in at most {reach:.2%}, within {allowed}"
        return replace(base, verdict=REPRODUCED, reason=reason)
    if hidden and upper(0, n) <= case.bound + 1e-12:
        return replace(base, hangs=_hang(hidden, n, case))
    more = max(1, clean_runs(case.bound) - n)
    reason = (
        f"{counts}: with 95 % it happens in at most {reach:.2%}, and {allowed} is to be shown; "
        f"{more} more without one would show it"
    )
    return replace(base, verdict=INCONCLUSIVE, reason=reason, more=more, lean=REPRODUCED)


def counted(case: Case) -> tuple[int, int, int]:
    """Count the units that are a counterexample, those that are none, and the unknown."""
    if case.truths is not None:
        bad = case.estimand == "never"
        failed = sum(value is bad for value in case.truths)
        clean = sum(value is (not bad) for value in case.truths)
        return failed, clean, _hidden(case)
    units = bounds(case.values, case.censored)
    failed = sum(low > 0 for low, _ in units)
    clean = sum(high <= 0 for _, high in units)
    return failed, clean, len(units) - failed - clean


def rate(case: Case) -> Judgement:
    """Judge the share of units in which something is so against a published share."""
    happened, other, hidden = counted(replace(case, estimand="never"))
    n = happened + other + hidden
    region = case.region if case.region is not None else case.published
    base = Judgement(case.id, "", "", n=n, unit="%", region=region)
    needed = smallest_n(LEVEL_INSIDE)
    missing = unmeasured(case, n, needed)
    if missing or region is None:
        cause = missing or "nothing published to compare with"
        return replace(base, verdict=NOT_MEASURED, reason=cause)
    ends = (lower(happened, n), upper(happened + hidden, n))
    low, high = region
    tails = [1.0]
    if high is not None:
        tails.append(at_least(happened, n, high))
    if low is not None:
        tails.append(at_most(happened + hidden, n, low))
    p = min(1.0, sides(region) * min(tails))
    base = replace(base, estimate=None if hidden else happened / n, interval=ends, level=0.9, p=p)
    if (low is None or ends[0] >= low) and (high is None or ends[1] <= high):
        reason = f"{happened} of {n}: the 90 % interval lies inside {words.region(region, '%')}"
        return replace(base, verdict=REPRODUCED, reason=reason)
    return replace(base, hangs=_hang(hidden, n, case)) if hidden else base


def false_blocks(truths: Sequence[bool | None]) -> int:
    """Count the blocks in which a statement fails."""
    return sum(value is False for value in truths)
