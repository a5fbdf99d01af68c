"""Two runs, or two treatments of a run, metric by metric: what differs, and by how much.

b is compared with a: a ratio above 1 means that b is the larger. Within one run
values are paired by repetition, which is the block; between runs they are not.

- `equivalent`: the 90 % interval of the ratio lies within the practical
  threshold (TOST at 5 %);
- `better`, `worse` (`changed` where the metric says neither is better): p <= 0.05
  after Holm over all tests of the comparison, so that of all metrics together one
  is found to differ by chance in at most 5 % of comparisons. benchstat's
  documentation warns of this under "Tips" and leaves it to the reader;
- `undecided`: neither.

Ratios of unpaired samples are Hodges-Lehmann shifts of logarithms, p is of
Mann-Whitney's test, or of the sign test for pairs.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from runner.analysis.claims.values import counted
from runner.analysis.runs.environment_diff import environment
from runner.analysis.stats.intervals import Interval, shift, smallest_n
from runner.analysis.stats.significance import (
    equivalent,
    holm,
    mann_whitney,
    outcome,
    paired,
    sign_p,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Analysis, Estimate
    from runner.analysis.runs.side import Side

THRESHOLD: Final = 0.05
ALPHA: Final = 0.05
"""How often any metric of a comparison may be found to differ by chance."""
ORDER: Final = ("worse", "changed", "better", "undecided", "equivalent", "not comparable")
"""Regressions first."""
DIFFERENT: Final = ("worse", "changed", "better")


@dataclass(frozen=True)
class Row:
    """One metric in one cell, on both sides; numbers in base units."""

    metric: str
    unit: str
    where: dict[str, str]
    """Levels that both sides share, and `step`."""
    n: tuple[int, int]
    median: tuple[float | None, float | None]
    interval: tuple[tuple[float, float] | None, tuple[float, float] | None]
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    """At 90 %."""
    p: float | None
    test: str
    outcome: str
    better: str | None = None
    why: str = ""
    p_holm: float | None = None
    """p among all tests of the comparison."""


@dataclass(frozen=True)
class Comparison:
    """Everything that is said of two sides."""

    a: str
    b: str
    threshold: float
    environment: tuple[tuple[str, str, str], ...]
    """(fact, a, b) of what differs."""
    rows: tuple[Row, ...]
    only: tuple[str, ...] = ()
    """Metrics that one side has not."""

    @property
    def tests(self) -> int:
        """How many tests share the error rate."""
        return sum(row.p is not None for row in self.rows)

    @property
    def regressions(self) -> tuple[Row, ...]:
        """Rows that got worse."""
        return tuple(row for row in self.rows if row.outcome == "worse")


def compare(a: Side, b: Side, threshold: float = THRESHOLD) -> Comparison:
    """Compare every metric that both sides have, regressions first."""
    left, right = _cells(a), _cells(b)
    rows = _decided(
        [_row(a, b, left[key], right[key], dict(key[1]), threshold) for key in left if key in right]
    )
    rows.sort(key=lambda row: ORDER.index(row.outcome))
    missing = [_label(key) for key in {**left, **right} if not (key in left and key in right)]
    return Comparison(
        a.name, b.name, threshold, environment(a, b), tuple(rows), tuple(dict.fromkeys(missing))
    )


def _decided(rows: Sequence[Row]) -> list[Row]:
    """Name what differs; the number of tests decides with each of them."""
    adjusted = holm({str(at): row.p for at, row in enumerate(rows) if row.p is not None})
    found = []
    for at, row in enumerate(rows):
        p = adjusted.get(str(at))
        said, why = row.outcome, row.why
        if p is not None and p > ALPHA and said in DIFFERENT:
            said = "undecided"
            why = why or f"p = {row.p:.2g} by itself, {p:.2g} among {len(adjusted)} tests"
        found.append(replace(row, outcome=said, why=why, p_holm=p))
    return found


def _direction(better: str | None, *, up: bool) -> str:
    if better is None:
        return "changed"
    return "better" if up == (better == "higher") else "worse"


Key = tuple[str, tuple[tuple[str, str], ...]]


def _cells(side: Side) -> dict[Key, Estimate]:
    """Estimates of a side by metric and what is left of their cell."""
    found: dict[Key, Estimate] = {}
    for item in side.analysis.estimates:
        if any(item.treatment.get(factor) != level for factor, level in side.where.items()):
            continue
        rest = {k: v for k, v in item.treatment.items() if k not in side.where}
        if item.step is not None:
            rest["step"] = item.step
        found[item.metric, tuple(rest.items())] = item
    return found


def _label(key: Key) -> str:
    where = ", ".join(f"{name}={level}" for name, level in key[1])
    return f"{key[0]} ({where})" if where else key[0]


def _row(
    a: Side, b: Side, left: Estimate, right: Estimate, where: dict[str, str], threshold: float
) -> Row:
    metric = b.metrics.get(right.metric) or a.metrics.get(left.metric)
    better = metric.better if metric is not None else None
    x = [value for value in left.values if value is not None]
    y = [value for value in right.values if value is not None]
    common: dict[str, Any] = {
        "metric": right.metric,
        "unit": right.unit or left.unit,
        "where": where,
        "n": (len(x), len(y)),
        "median": (left.median, right.median),
        "interval": (left.interval, right.interval),
        "better": better,
    }
    if not x or not y:
        said = left.why if not x else right.why
        return _empty(common, f"no value on one side ({said})" if said else "no value on one side")
    if left.level == right.level == 1.0:
        return _exact(common, x[0], y[0], threshold)
    blocks = _blocks(a, b, left, right)
    if blocks is not None:
        return _paired(common, blocks, threshold)
    return _unpaired(common, x, y, threshold)


def _empty(common: dict[str, Any], why: str) -> Row:
    return Row(
        **common, ratio=None, ratio_interval=None, p=None, test="",
        outcome="not comparable", why=why,
    )  # fmt: skip


def _exact(common: dict[str, Any], x: float, y: float, threshold: float) -> Row:
    """Two exact numbers differ or they do not; chance has no part in it."""
    if x == y:
        return Row(**common, ratio=1.0, ratio_interval=(1.0, 1.0), p=None, test="exact",
                   outcome="equivalent")  # fmt: skip
    if x * y <= 0:
        return _difference(common, x, y)
    ratio = y / x
    said = outcome(Interval(ratio, ratio, ratio, 1.0, 1, "exact"), threshold, common["better"])
    return Row(**common, ratio=ratio, ratio_interval=(ratio, ratio), p=None, test="exact",
               outcome=said)  # fmt: skip


def _difference(common: dict[str, Any], x: float, y: float) -> Row:
    """Name the better of two exact numbers that have no ratio."""
    said = _direction(common["better"], up=y > x)
    return Row(**common, ratio=None, ratio_interval=None, p=None, test="exact", outcome=said,
               why="no ratio with a number that is not above 0")  # fmt: skip


def _paired(common: dict[str, Any], blocks: Sequence[tuple[float, float]], threshold: float) -> Row:
    x, y = [one for one, _ in blocks], [other for _, other in blocks]
    if any(one * other <= 0 for one, other in blocks):
        return _without_ratio(common, x, y)
    found = paired(x, y, 0.90)
    above = sum(other > one for one, other in blocks)
    below = sum(other < one for one, other in blocks)
    p = min(1.0, 2 * sign_p(max(above, below), above + below)) if above + below else 1.0
    return _judged(
        common, found.interval, statistics.median(found.values), p, "sign test on pairs",
        threshold, found.why, up=above > below,
    )  # fmt: skip


def _unpaired(
    common: dict[str, Any], x: Sequence[float], y: Sequence[float], threshold: float
) -> Row:
    if min(*x, *y) <= 0:
        return _without_ratio(common, x, y)
    test = mann_whitney(x, y)
    logs = [math.log(value) for value in x], [math.log(value) for value in y]
    found = _exp(shift(*logs, 0.90))
    ratio = found.estimate if found else statistics.median(y) / statistics.median(x)
    why = "" if found else f"{len(x)} and {len(y)} values are too few for a 90 % interval"
    up = 2 * test.u < len(x) * len(y)
    return _judged(common, found, ratio, test.p, "Mann-Whitney", threshold, why, up=up)


def _without_ratio(common: dict[str, Any], x: Sequence[float], y: Sequence[float]) -> Row:
    """Compare by ranks alone: equal is what never differs, and no threshold applies."""
    test = mann_whitney(x, y)
    said = "equivalent" if set(x) == set(y) and len(set(x)) == 1 else "undecided"
    if test.p <= ALPHA:
        said = _direction(common["better"], up=2 * test.u < len(x) * len(y))
    return Row(**common, ratio=None, ratio_interval=None, p=test.p, test="Mann-Whitney",
               outcome=said, why="no ratio with a number that is not above 0")  # fmt: skip


def _exp(found: Interval | None) -> Interval | None:
    if found is None:
        return None
    low, middle, high = (math.exp(v) for v in (found.low, found.estimate, found.high))
    return Interval(middle, low, high, found.level, found.n, found.method)


def _judged(
    common: dict[str, Any],
    interval: Interval | None,
    ratio: float,
    p: float,
    test: str,
    threshold: float,
    why: str,
    *,
    up: bool,
) -> Row:
    said = "undecided"
    if equivalent(interval, 1 / (1 + threshold), 1 + threshold):
        said = "equivalent"
    elif p <= ALPHA:
        said = _direction(common["better"], up=up)
    bounds = interval.bounds if interval is not None else None
    return Row(**common, ratio=ratio, ratio_interval=bounds, p=p, test=test, outcome=said, why=why)


def _blocks(a: Side, b: Side, left: Estimate, right: Estimate) -> list[tuple[float, float]] | None:
    """Give the pairs of one run by repetition; None where that is not one run, or unclear."""
    if not a.run or a.run != b.run or left.treatment == right.treatment:
        return None
    x, y = by_repetition(a.analysis, left), by_repetition(b.analysis, right)
    if x is None or y is None:
        return None
    pairs = []
    for repetition, one in x.items():
        other = y.get(repetition)
        if one is not None and other is not None:
            pairs.append((one, other))
    # too few pairs decide nothing; all the values may
    return pairs if len(pairs) >= smallest_n(0.90) else None


def by_repetition(analysis: Analysis, item: Estimate) -> dict[int, float | None] | None:
    """Give an estimate's values by their repetition; None where they cannot be told apart."""
    runs = (analysis.search or {}).get("runs") or []
    found = [run["repetition"] for run in runs if dict(run["treatment"]) == item.treatment]
    if not found:
        found = sorted(
            trial.repetition
            for trial in counted(analysis.trials)
            if trial.treatment == item.treatment
            and (item.step is None or any(step.name == item.step for step in trial.steps))
        )
    if len(found) != len(item.values) or len(set(found)) != len(found):
        return None
    return dict(zip(found, item.values, strict=True))
