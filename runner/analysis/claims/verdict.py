"""What the data says of a published number: the first verdict that applies.

    1. not testable    the claim says so
    2. not measured    too few valid units, guards kept breaking, search ended at its bounds
    3. not comparable  a fact of the claim's `must` list differs from what it declares
    4. reproduced      the 90 % interval lies inside the region (TOST at 5 %)
    5. contradicted    the interval lies wholly outside, wrongly so in at most 2.5 % of
                       experiments (Holm across the claims): the 95 % one for an open range or
                       a statement, which can be missed on one side, the 97.5 % one for a range
                       with two ends, which can be missed on either;
                       `differs (environment undeclared)` where the source is silent on a fact
    6. inconclusive    with its lean, and about how many more repetitions would decide

The region is the published range widened by the margin, both fixed before the
data. An interval here is the median's order-statistic interval, so verdict 5
is a sign test and needs at least 6 values, or 7 for a range with two ends,
verdict 4 at least 5.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from runner.analysis.claims.must import table
from runner.analysis.stats.intervals import median_interval, smallest_n
from runner.analysis.stats.repetitions import MANY, more_blocks, more_values
from runner.analysis.stats.significance import equivalent, holm, sign_p
from runner.records.quantities import in_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.analysis.claims.must import Fact

    Region = tuple[float | None, float | None]

NOT_TESTABLE: Final = "not testable"
NOT_MEASURED: Final = "not measured"
NOT_COMPARABLE: Final = "not comparable"
REPRODUCED: Final = "reproduced"
CONTRADICTED: Final = "contradicted"
DIFFERS: Final = "differs (environment undeclared)"
INCONCLUSIVE: Final = "inconclusive"
VERDICTS: Final = (
    NOT_TESTABLE, NOT_MEASURED, NOT_COMPARABLE, REPRODUCED, CONTRADICTED, DIFFERS, INCONCLUSIVE,
)  # fmt: skip

LEVEL_INSIDE: Final = 0.90
ALPHA: Final = 0.025
"""How often any claim of an experiment may be `contradicted` falsely."""


@dataclass(frozen=True)
class Case:
    """A claim and its measurements as plain data, all numbers in base units."""

    id: str
    published: Region | None = None
    """Bounds as published, rounding included; None for a statement."""
    region: Region | None = None
    """The published bounds widened by the margin; `published` where there is none."""
    values: Sequence[float | None] = ()
    """One per repetition (or paired block); of a comparison, left - right."""
    truths: Sequence[bool | None] | None = None
    """For an `expect:` statement, whether it held in each block."""
    kind: str = "sampled"
    """`exact`: the same in every repetition, judged by the rounding interval alone."""
    testable: bool = True
    why: str = ""
    """Why it is not testable, or why values are missing."""
    unmeasured: str = ""
    """Why nothing can be said though there may be values: guards kept breaking."""
    at_bound: int = 0
    """Searches that ended at a bound of their range."""
    must: Sequence[str] = ()
    declared: Mapping[str, Any] = field(default_factory=dict)
    observed: Mapping[str, Any] = field(default_factory=dict)
    unit: str = ""
    """In which reasons say amounts; empty says them in base units."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and everything that it rests on."""

    id: str
    verdict: str
    reason: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    """The 90 % interval of the median."""
    level: float | None = None
    """Confidence that it really has."""
    n: int = 0
    values: tuple[float, ...] = ()
    region: Region | None = None
    facts: tuple[Fact, ...] = ()
    p: float | None = None
    """Of the sign test of verdict 5, before Holm: one-sided, doubled for a range with two ends."""
    p_holm: float | None = None
    more: int | None = None
    """About how many more repetitions would decide; None where that is unknown."""
    lean: str = ""


def sides(region: Region | None) -> int:
    """Count the sides on which a median may miss a region; a statement (None) has one."""
    return 2 if region is not None and None not in region else 1


def alpha_outside(region: Region | None, family: int) -> float:
    """Give 1 - level of the interval that contradicts the first of so many claims.

    A median that lies in a narrow region may have almost half of its distribution
    on either side; each side is tested, and both together may err in ALPHA.
    """
    return 2 * ALPHA / sides(region) / max(1, family)


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
    found = _statement(case) if case.truths is not None else _number(case)
    found = replace(found, facts=table(case.must, case.declared, case.observed))
    if found.verdict == NOT_MEASURED:
        return found
    differing = [fact for fact in found.facts if fact.equal is False]
    if differing:
        said = "; ".join(f"{f.name}: declared {f.declared}, here {f.observed}" for f in differing)
        return replace(found, verdict=NOT_COMPARABLE, reason=said, p=None)
    return found


def _number(case: Case) -> Judgement:
    region = case.region if case.region is not None else case.published
    values = tuple(float(v) for v in case.values if v is not None and math.isfinite(v))
    exact = case.kind == "exact" and len(set(values)) <= 1
    base = Judgement(case.id, "", "", n=len(values), values=values, region=region)
    if values:
        base = replace(base, estimate=statistics.median(values))
    missing = _missing(case, len(values), 1 if exact else smallest_n(LEVEL_INSIDE))
    if region is None:
        missing = missing or "nothing published to compare with"
    if missing:
        return replace(base, verdict=NOT_MEASURED, reason=missing, more=_short(base.n, case))
    assert region is not None  # noqa: S101 - said above, for the type checker
    if exact:
        return _exact(base, region, values[0], case.unit)
    interval = median_interval(values, LEVEL_INSIDE)
    assert interval is not None  # noqa: S101 - there are enough values
    low, high = region
    above = sum(high is not None and v > high for v in values)
    below = sum(low is not None and v < low for v in values)
    p = min(1.0, sides(region) * sign_p(max(above, below), len(values)))
    base = replace(base, interval=interval.bounds, level=interval.level, p=p)
    if equivalent(interval, low, high):
        reason = (
            f"the {interval.level:.1%} interval of {base.n} repetitions lies inside "
            f"{_region_text(region, case.unit)}"
        )
        return replace(base, verdict=REPRODUCED, reason=reason)
    return base


def _exact(base: Judgement, region: Region, value: float, unit: str) -> Judgement:
    low, high = region
    inside = (low is None or value >= low) and (high is None or value <= high)
    where = "inside" if inside else "outside"
    reason = f"exact metric: {_text(value, unit)} lies {where} {_region_text(region, unit)}"
    # an exact value leaves nothing to chance, so it takes no part in Holm
    verdict = REPRODUCED if inside else CONTRADICTED
    return replace(base, verdict=verdict, reason=reason, interval=(value, value), level=1.0)


def _statement(case: Case) -> Judgement:
    """Judge by a sign test on blocks: in each, the statement holds or it does not."""
    truths = [value for value in case.truths or () if value is not None]
    values = tuple(float(v) for v in case.values if v is not None and math.isfinite(v))
    exact = case.kind == "exact" and len(set(truths)) <= 1
    n = len(truths)
    base = Judgement(case.id, "", "", n=n, values=values, region=case.region)
    if values:
        base = replace(base, estimate=statistics.median(values))
        interval = median_interval(values, LEVEL_INSIDE)
        if interval is not None:
            base = replace(base, interval=interval.bounds, level=interval.level)
    missing = _missing(case, n, 1 if exact else smallest_n(LEVEL_INSIDE))
    if missing:
        return replace(base, verdict=NOT_MEASURED, reason=missing, more=_short(n, case))
    true = sum(truths)
    if exact:
        verdict = REPRODUCED if truths[0] else CONTRADICTED
        return replace(base, verdict=verdict, reason=f"exact metrics: it is {_yes(truths[0])}")
    base = replace(base, p=sign_p(n - true, n), lean=_lean(true, n))
    if sign_p(true, n) <= (1 - LEVEL_INSIDE) / 2:
        return replace(base, verdict=REPRODUCED, reason=f"it holds in {true} of {n} blocks")
    return base


def _missing(case: Case, n: int, needed: int) -> str:
    """Say why nothing is measured, or an empty text."""
    if case.unmeasured:
        return case.unmeasured
    if case.at_bound:
        return f"{case.at_bound} of the searches ended at a bound of their range: widen `between`"
    if n >= needed:
        return ""
    told = f" ({case.why})" if case.why else ""
    if needed == 1:
        return f"no value{told}"
    return f"{n} valid repetitions{told}; at least {needed} are needed for a 90 % interval"


def _short(n: int, case: Case) -> int | None:
    if case.unmeasured or case.at_bound:
        return None
    return max(0, (1 if case.kind == "exact" else smallest_n(LEVEL_INSIDE)) - n) or None


def _finished(case: Case, draft: Judgement, family: int) -> Judgement:
    undeclared = [fact.name for fact in draft.facts if fact.equal is None]
    if draft.verdict == CONTRADICTED and undeclared:  # an exact metric
        return replace(draft, verdict=DIFFERS, reason=f"{draft.reason}; {_silent(undeclared)}")
    if draft.verdict:
        return draft
    if draft.p_holm is not None and draft.p_holm <= ALPHA + 1e-12:
        reason = f"{_against(case, draft)} (p = {draft.p_holm:.2g}, Holm over {family} claims)"
        if undeclared:
            return replace(draft, verdict=DIFFERS, reason=f"{reason}; {_silent(undeclared)}")
        return replace(draft, verdict=CONTRADICTED, reason=reason)
    return _undecided(case, draft, family)


def _undecided(case: Case, draft: Judgement, family: int) -> Judgement:
    region = None if case.truths is not None else draft.region
    alphas = (1 - LEVEL_INSIDE, alpha_outside(region, family))
    if case.truths is not None:
        truths = [value for value in case.truths if value is not None]
        more = more_blocks(sum(truths), draft.n, alphas)
        said = f"it holds in {sum(truths)} of {draft.n} blocks"
        lean = draft.lean
    else:
        assert draft.region is not None  # noqa: S101 - otherwise it is not measured
        more, inside = more_values(draft.values, draft.region, alphas)
        lean = REPRODUCED if inside else CONTRADICTED
        said = _near(draft, draft.region, case.unit, family)
        if draft.region[0] == draft.region[1]:
            said = (
                "the published number has no width: give `rounded_to` or a margin, "
                "or no number of repetitions can reproduce it"
            )
    if more is None:
        needed = "no number of repetitions is likely to decide"
    elif more > MANY:
        needed, more = f"more than {MANY} more repetitions would be needed", None
    else:
        needed = f"about {more} more repetitions would decide"
    reason = f"{said}; leans to {lean}; {needed}" if lean else f"{said}; {needed}"
    return replace(draft, verdict=INCONCLUSIVE, reason=reason, more=more, lean=lean)


def _against(case: Case, draft: Judgement) -> str:
    if case.truths is not None:
        false = sum(value is False for value in case.truths)
        return f"it fails in {false} of {draft.n} blocks"
    where = _region_text(draft.region, case.unit)
    return f"the interval of {draft.n} repetitions lies outside {where}"


def _near(draft: Judgement, region: Region, unit: str, family: int) -> str:
    """Say why an interval does not decide."""
    text = _region_text(region, unit)
    low, high = draft.interval or (-math.inf, math.inf)
    if (region[0] is not None and high < region[0]) or (region[1] is not None and low > region[1]):
        found = f"p = {draft.p_holm:.2g}, Holm over {family} claims"
        return (
            f"the 90 % interval lies outside {text}, by chance more often than in 2.5 % ({found})"
        )
    return f"the interval reaches across the edge of {text}"


def _lean(true: int, n: int) -> str:
    if 2 * true == n:
        return ""
    return REPRODUCED if 2 * true > n else CONTRADICTED


def _silent(names: Sequence[str]) -> str:
    return f"the source does not declare {', '.join(names)}"


def _yes(value: bool) -> str:
    return "so" if value else "not so"


def _text(value: float, unit: str) -> str:
    return f"{in_unit(value, unit) if unit else value:.6g}"


def _region_text(region: Region | None, unit: str) -> str:
    ends = ["…" if end is None else _text(end, unit) for end in region or (None, None)]
    opens, closes = ("(" if ends[0] == "…" else "["), (")" if ends[1] == "…" else "]")
    return f"{opens}{ends[0]}, {ends[1]}{closes}{' ' if unit else ''}{unit}"
