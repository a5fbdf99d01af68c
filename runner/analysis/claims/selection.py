"""What guards threw away, counted in: how far a verdict could hang on it."""

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
"""Share of attempts above which a verdict says that there was a choice."""


def counting_in(case: Case, found: Judgement) -> Judgement:
    """Add how many attempts were thrown away, and the interval that counts them in."""
    if case.selection.share <= MUCH:
        return found
    thrown, attempts = case.selection.thrown, case.selection.attempts
    said = f"guards threw away {thrown} of {attempts} attempts; {_bound(case, found, thrown)}"
    return replace(found, reason=f"{found.reason}; {said}")


def _bound(case: Case, found: Judgement, thrown: int) -> str:
    """Say what is left where each of them could have had any value."""
    if case.truths is not None or case.estimand in ("never", "always", "rate"):
        truths = [value for value in case.truths or () if value is not None]
        true = sum(truths) if case.truths is not None else round((found.estimate or 0.0) * found.n)
        n = (len(truths) if case.truths is not None else found.n) + thrown
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
