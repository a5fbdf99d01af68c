"""What guards threw away and what has no value, counted in: how far a verdict could hang on it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims import words
from runner.analysis.claims.case import LEVEL_INSIDE
from runner.analysis.stats.censored import bounds
from runner.analysis.stats.intervals import order_rank
from runner.analysis.stats.shares import lower, upper

if TYPE_CHECKING:
    from runner.analysis.claims.case import Case, Judgement

MUCH: Final = 0.1
"""Share of attempts, or of repetitions, above which a verdict says that there was a choice."""


def counting_in(case: Case, judgement: Judgement) -> Judgement:
    """Add how much was thrown away or has no value, and the interval that counts it in."""
    thrown, attempts = case.selection.thrown, case.selection.attempts
    without = _without(case)
    ran = judgement.n + without
    parts = []
    if case.selection.share > MUCH:
        parts.append(f"guards threw away {thrown} of {attempts} attempts")
    else:
        thrown = 0
    # any of them may be the one counterexample
    if without and (without > MUCH * ran or case.universal):
        why = f" ({case.why})" if case.why else ""
        parts.append(f"{without} of {ran} valid repetitions have no value{why}")
    else:
        without = 0
    if not parts:
        return judgement
    thrown_away = f"{' and '.join(parts)}; {_bound(case, judgement, thrown + without)}"
    return replace(judgement, reason=f"{judgement.reason}; {thrown_away}")


def _without(case: Case) -> int:
    """Count the repetitions that ran and have no value, not even a bound."""
    values = case.truths if case.truths is not None else case.values
    sides = [*case.censored, *[""] * (len(values) - len(case.censored))]
    return sum(one is None and not side for one, side in zip(values, sides, strict=False))


def _bound(case: Case, judgement: Judgement, thrown: int) -> str:
    """Say what is left where each of so many could have had any value."""
    if case.truths is not None or case.estimand in ("never", "always", "rate"):
        truths = [value for value in case.truths or () if value is not None]
        true = (
            sum(truths)
            if case.truths is not None
            else round((judgement.estimate or 0.0) * judgement.n)
        )
        n = (len(truths) if case.truths is not None else judgement.n) + thrown
        return (
            f"counted in as unknown, its share is between {lower(true, n):.0%} and "
            f"{upper(true + thrown, n):.0%}"
        )
    units = [*bounds(case.values, case.censored), *[(-math.inf, math.inf)] * thrown]
    rank = order_rank(len(units), LEVEL_INSIDE)
    if not rank:
        return "counted in as unknown, they leave no interval"
    if rank <= thrown and not (case.region and None in case.region):
        return "counted in as unknown, they could have moved the interval anywhere"
    low = sorted(unit[0] for unit in units)[rank - 1]
    high = sorted(unit[1] for unit in units)[-rank]
    region = (low if math.isfinite(low) else None, high if math.isfinite(high) else None)
    return f"counted in as unknown, the interval is {words.region(region, case.unit)}"
