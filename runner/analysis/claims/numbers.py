"""Drafts of verdicts 2, 4 and 5 for a published number: median, quantile, mean.

The median and any other quantile are judged by ranks: reproduced where the order-statistic
interval lies inside the region, contradicted by a sign test. So a value that is only a bound
counts, and the verdict waits only where it hangs on what lies beyond. The mean is judged by
the BCa bootstrap and its inversion.
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
    LEVEL_INSIDE,
    NOT_MEASURED,
    REPRODUCED,
    Judgement,
    sides,
)
from runner.analysis.stats.censored import bounds, median_of_bounds
from runner.analysis.stats.intervals import SMALLEST_BOOTSTRAP, mean_interval, mean_p
from runner.analysis.stats.nearly import above, below
from runner.analysis.stats.shares import at_least, quantile_ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.claims.case import Case, Region
    from runner.records.outcome import Verdict

    Units = Sequence[tuple[float, float]]

MOST_NEEDED = 10_000


def draft(case: Case) -> Judgement:
    """Judge a number by itself; an empty verdict waits for Holm."""
    region = case.region if case.region is not None else case.published
    units = bounds(case.values, case.censored)
    values = tuple(float(v) for v in case.values if v is not None and math.isfinite(v))
    # what is only a bound is not known exactly
    exact = case.kind == "exact" and len(set(values)) <= 1 and not any(case.censored)
    base = Judgement(case.id, "", "", n=len(units), values=values, region=region)
    if values and len(values) == len(units):
        base = replace(base, estimate=_estimate(case, values))
    needed = 1 if exact else fewest(case, region)
    missing = unmeasured(case, len(units), needed)
    if region is None:
        missing = missing or "nothing published to compare with"
    if missing:
        more = None if case.unmeasured else max(0, needed - len(units)) or None
        return replace(base, verdict=NOT_MEASURED, reason=missing, more=more)
    assert region is not None  # noqa: S101 - said above, for the type checker
    if exact:
        return _exact(base, region, values[0], case)
    if case.estimand == "mean":
        return _mean(base, region, case)
    return _ranked(base, region, units, case)


def _estimate(case: Case, values: Sequence[float]) -> float:
    if case.estimand == "mean":
        return statistics.fmean(values)
    if case.estimand == "quantile":
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, math.ceil(case.quantile * len(ordered)) - 1)]
    return statistics.median(values)


def share_below(case: Case) -> float:
    """Which quantile the claim is of: 0.5 for a median."""
    return case.quantile if case.estimand == "quantile" else 0.5


def fewest(case: Case, region: Region | None) -> int:
    """Give the fewest values of which an interval can have the ends that the region asks for."""
    if case.estimand == "mean":
        return SMALLEST_BOOTSTRAP
    share = share_below(case)
    low, high = region or (None, None)
    n = 2
    while n < MOST_NEEDED:
        first, last = quantile_ranks(n, share, ALPHA_INSIDE)
        has = (first > 0 or low is None, last <= n or high is None)
        both = (first > 0, last <= n)
        if all(has if share != 0.5 else both):
            break
        n += 1
    return n


def unmeasured(case: Case, n: int, needed: int) -> str:
    """Say why nothing is measured, or an empty text."""
    if case.unmeasured:
        return case.unmeasured
    if n >= needed:
        return ""
    cause = f" ({case.why})" if case.why else ""
    if needed == 1:
        return f"no value{cause}"
    what = "a mean's interval" if case.estimand == "mean" else "a 90 % interval"
    return f"{n} valid repetitions{cause}; at least {needed} are needed for {what}"


def _exact(base: Judgement, region: Region, value: float, case: Case) -> Judgement:
    half, unit = case.resolution / 2, case.unit
    inside = _inside((value - half, value + half), region)
    outside = _off(value, value, region, case.resolution) != 0
    if not inside and not outside:
        return replace(base, interval=(value, value), level=1.0)
    where = "inside" if inside else "outside"
    reason = f"exact metric: {words.amount(value, unit)} lies {where} {words.region(region, unit)}"
    # an exact value leaves nothing to chance, so it takes no part in Holm
    verdict: Verdict = REPRODUCED if inside else CONTRADICTED
    return replace(base, verdict=verdict, reason=reason, interval=(value, value), level=1.0)


def _off(low: float, high: float, region: Region, resolution: float) -> int:
    """On which side of a region a unit surely lies: -1 below, 1 above, 0 neither.

    Half a step of what is printed belongs to the value, half to the region: whether the last
    digit was rounded or cut off is not known.
    """
    if region[1] is not None and above(low, region[1] + resolution):
        return 1
    return -1 if region[0] is not None and below(high, region[0] - resolution) else 0


def _ranked(base: Judgement, region: Region, units: Units, case: Case) -> Judgement:
    n, share = len(units), share_below(case)
    ends, level = _ends(units, share)
    p = _p(units, region, share, case.resolution)
    hidden = [unit for unit in units if unit[0] != unit[1] or math.isinf(unit[0])]
    shown = ends if all(map(math.isfinite, ends)) else None
    base = replace(base, interval=shown, level=level if shown else None, p=p)
    if hidden and case.estimand == "median":
        base = replace(base, estimate=median_of_bounds(case.values, case.censored, 0.9).median)
    half = case.resolution / 2
    if _inside((ends[0] - half, ends[1] + half), region):
        bounded = f" ({len(hidden)} of them only as bounds)" if hidden else ""
        reason = (
            f"the {level:.1%} interval of {n} repetitions{bounded} lies inside "
            f"{words.region(region, case.unit)}"
        )
        return replace(base, verdict=REPRODUCED, reason=reason)
    return replace(base, hangs=_hangs(units, region, case)) if hidden else base


def _ends(units: Units, share: float) -> tuple[tuple[float, float], float]:
    n = len(units)
    first, last = quantile_ranks(n, share, ALPHA_INSIDE)
    lows, highs = sorted(low for low, _ in units), sorted(high for _, high in units)
    low = lows[first - 1] if first else -math.inf
    high = highs[last - 1] if last <= n else math.inf
    below = 1 - at_least(first, n, share) if first else 0.0
    above = at_least(last, n, share) if last <= n else 0.0
    return (low, high), 1 - below - above


def _inside(ends: tuple[float, float], region: Region) -> bool:
    low, high = region
    return not (
        (low is not None and below(ends[0], low)) or (high is not None and above(ends[1], high))
    )


def _p(units: Units, region: Region, share: float, resolution: float) -> float:
    """One-sided sign tests of the quantile against both ends, doubled where there are two."""
    off = [_off(low, high, region, resolution) for low, high in units]
    n = len(units)
    above, below = off.count(1), off.count(-1)
    p = min(at_least(above, n, 1 - share), at_least(below, n, share))
    return min(1.0, sides(region) * p)


def _hangs(units: Units, region: Region, case: Case) -> str:
    """Say so where some value that the bounds allow would decide; empty where none would."""
    low, high = region

    def kindest(unit: tuple[float, float]) -> tuple[float, float]:
        at = max(unit[0], min(unit[1], max(unit[0], low if low is not None else -math.inf)))
        if math.isinf(at):
            at = min(unit[1], high if high is not None else 0.0)
        return at, at

    share = share_below(case)
    kind = [unit if unit[0] == unit[1] else kindest(unit) for unit in units]
    harsh = [
        [unit if unit[0] == unit[1] else (unit[at], unit[at]) for unit in units] for at in (0, 1)
    ]
    # what is so whatever the bounds hide is decided, if at all, by how many units there are
    now = _p(units, region, share, case.resolution)
    decides = _inside(_ends(kind, share)[0], region) or any(
        _p(worst, region, share, case.resolution) <= min(ALPHA, now - 1e-12) for worst in harsh
    )
    if not decides:
        return ""
    hidden = sum(unit[0] != unit[1] for unit in units)
    return f"{hidden} of {len(units)} {case.ended or 'values are only bounds'}"


def _mean(base: Judgement, region: Region, case: Case) -> Judgement:
    if any(case.censored):
        cause = f"a mean needs every value: {case.ended or 'some values are only bounds'}"
        return replace(base, verdict=NOT_MEASURED, reason=cause)
    mean = mean_interval(base.values, LEVEL_INSIDE)
    assert mean is not None  # noqa: S101 - there are enough values
    low, high = region
    half = case.resolution / 2
    tails = [1.0]
    if high is not None:
        tails.append(mean_p(base.values, high + case.resolution, above=True))
    if low is not None:
        tails.append(mean_p(base.values, low - case.resolution, above=False))
    p = min(1.0, sides(region) * min(tails))
    base = replace(base, interval=mean.bounds, level=mean.level, p=p)
    if _inside((mean.low - half, mean.high + half), region):
        reason = (
            f"the 90 % bootstrap interval of the mean of {base.n} repetitions lies inside "
            f"{words.region(region, case.unit)}"
        )
        return replace(base, verdict=REPRODUCED, reason=reason)
    return base
