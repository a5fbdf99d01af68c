"""What is said of a claim that the data do not decide: why, which way it leans, how many more."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.analysis.claims import words
from runner.analysis.claims.case import (
    ALPHA_INSIDE,
    CONTRADICTED,
    INCONCLUSIVE,
    LEVEL_INSIDE,
    REPRODUCED,
    alpha_outside,
)
from runner.analysis.claims.numbers import share_below
from runner.analysis.stats.power import MANY, Truth, more_blocks, more_values
from runner.analysis.stats.power_more import more_mean, more_rate

if TYPE_CHECKING:
    from runner.analysis.claims.case import Case, Judgement, Region


def undecided(case: Case, draft: Judgement, family: int) -> Judgement:
    """Give `inconclusive` with its reason."""
    more: int | None
    if case.estimand in ("rate", "mean"):
        assert draft.region is not None  # noqa: S101 - otherwise it is not measured
        where = words.region(draft.region, draft.unit or case.unit)
        evidence = f"the 90 % interval of {draft.n} repetitions reaches across the edge of {where}"
        more, lean = _share_or_mean(case, draft, draft.region, family)
    elif case.truths is not None:
        truths = [value for value in case.truths if value is not None]
        alpha = alpha_outside(None, family) / 2
        more = more_blocks(sum(truths), draft.n, (ALPHA_INSIDE, alpha))
        evidence = f"it holds in {sum(truths)} of {draft.n} blocks"
        lean = draft.lean
    else:
        assert draft.region is not None  # noqa: S101 - otherwise it is not measured
        evidence, more, lean = _number(case, draft, draft.region, family)
    if more is None:
        needed = "no number of repetitions is likely to decide"
    elif more > MANY:
        needed, more = f"more than {MANY} more repetitions would be needed", None
    else:
        needed = f"about {more} more repetitions would decide"
    reason = f"{evidence}; leans to {lean}; {needed}" if lean else f"{evidence}; {needed}"
    return replace(draft, verdict=INCONCLUSIVE, reason=reason, more=more, lean=lean)


def _share_or_mean(
    case: Case, draft: Judgement, region: Region, family: int
) -> tuple[int | None, str]:
    """Guess how many more would decide, and where it leans; the estimate is taken for true."""
    if draft.estimate is None:
        return None, ""
    alpha = alpha_outside(region, family) / 2
    low, high = region
    within = (low is None or draft.estimate >= low) and (high is None or draft.estimate <= high)
    lean = REPRODUCED if within else CONTRADICTED
    if case.estimand == "rate":
        more = more_rate(draft.estimate, draft.n, region, alpha)
    else:
        truth = Truth(draft.estimate, statistics.stdev(draft.values))
        more = more_mean(draft.values, region, (ALPHA_INSIDE, alpha), truth)
    return more, lean if more is not None else ""


def _number(
    case: Case, draft: Judgement, region: Region, family: int
) -> tuple[str, int | None, str]:
    evidence = _near(draft, region, case.unit, family)
    if len(draft.values) < 2 or any(case.censored):
        return evidence, None, ""
    alpha = alpha_outside(region, family) / 2
    more, inside = more_values(draft.values, region, (ALPHA_INSIDE, alpha), share_below(case))
    lean = REPRODUCED if inside else CONTRADICTED
    low, high = region
    if low is not None and low == high:
        evidence = (
            "the published number has no width: give `rounded_to` or a margin, "
            "or no number of repetitions can reproduce it"
        )
    elif case.resolution and None not in region and high - low < case.resolution:  # type: ignore[operator]
        step = words.amount(case.resolution, case.unit)
        evidence = (
            f"values are printed in steps of {step} {case.unit}".rstrip()
            + f", which is wider than {words.region(region, case.unit)}"
        )
        more, lean = None, ""
    return evidence, more, lean


def _near(draft: Judgement, region: Region, unit: str, family: int) -> str:
    """Say why an interval does not decide."""
    text = words.region(region, unit)
    low, high = draft.interval or (-math.inf, math.inf)
    if (region[0] is not None and high < region[0]) or (region[1] is not None and low > region[1]):
        chance = f"p = {draft.p_holm:.2g}, Holm over {family} claims"
        return (
            f"the {LEVEL_INSIDE:.0%} interval lies outside {text}, by chance more often than in "
            f"2.5 % ({chance})"
        ).replace("90%", "90 %")
    return f"the interval reaches across the edge of {text}"
