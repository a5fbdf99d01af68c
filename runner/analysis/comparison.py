"""Two runs, or two treatments of a run, metric by metric: what differs, and by how much.

b is compared with a: a ratio above 1 means that b is the larger. Within one run
values are paired by repetition, which is the block; between runs they are not.

- `equivalent`: the 90 % interval of the ratio lies within the practical
  threshold (TOST at 5 %);
- `better`, `worse` (`changed` where the metric says neither is better): the 95 %
  interval lies wholly on one side of 1;
- `undecided`: neither.

Ratios of unpaired samples are Hodges-Lehmann shifts of logarithms, p is of
Mann-Whitney's test, or of the sign test for pairs; neither is corrected for the
number of metrics, so a page of them has some that differ by chance.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runner.analysis.compare import equivalent, mann_whitney, outcome, paired, sign_p
from runner.analysis.intervals import Interval, shift, smallest_n
from runner.analysis.values import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis, Estimate
    from runner.spec.metrics import Metric

THRESHOLD: Final = 0.05
ORDER: Final = ("worse", "changed", "better", "undecided", "equivalent", "not comparable")
"""Regressions first."""
VOLATILE: Final = (
    "boot_id", "uptime_s", "clock.unix_s", "load.", "memory.available", "memory.free",
    "memory.swap_free", "cpu.now_khz", "thermal.", "net.interfaces", "absent", "host.name",
)  # fmt: skip
"""Facts that are never the same twice."""


@dataclass(frozen=True)
class Side:
    """One of the two: a run's analysis, and the levels that choose its treatments."""

    name: str
    analysis: Analysis
    where: Mapping[str, str]
    facts: Mapping[str, Any]
    spec: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    run: str = ""


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
    def regressions(self) -> tuple[Row, ...]:
        """Rows that got worse."""
        return tuple(row for row in self.rows if row.outcome == "worse")


def compare(a: Side, b: Side, threshold: float = THRESHOLD) -> Comparison:
    """Compare every metric that both sides have, regressions first."""
    left, right = _cells(a), _cells(b)
    rows = [
        _row(a, b, left[key], right[key], dict(key[1]), threshold) for key in left if key in right
    ]
    rows.sort(key=lambda row: ORDER.index(row.outcome))
    missing = [_label(key) for key in {**left, **right} if not (key in left and key in right)]
    return Comparison(
        a.name, b.name, threshold, environment(a, b), tuple(rows), tuple(dict.fromkeys(missing))
    )


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
    better = common["better"]
    said = "changed" if better is None else "better" if (y > x) == (better == "higher") else "worse"
    return Row(**common, ratio=None, ratio_interval=None, p=None, test="exact", outcome=said,
               why="no ratio with a number that is not above 0")  # fmt: skip


def _paired(common: dict[str, Any], blocks: Sequence[tuple[float, float]], threshold: float) -> Row:
    x, y = [one for one, _ in blocks], [other for _, other in blocks]
    if any(one * other <= 0 for one, other in blocks):
        return _without_ratio(common, x, y)
    found = paired(x, y, 0.90)
    wide = paired(x, y, 0.95)
    above = sum(other > one for one, other in blocks)
    below = sum(other < one for one, other in blocks)
    p = min(1.0, 2 * sign_p(max(above, below), above + below)) if above + below else 1.0
    return _judged(
        common, found.interval, wide.interval, statistics.median(found.values), p,
        "sign test on pairs", threshold, found.why,
    )  # fmt: skip


def _unpaired(
    common: dict[str, Any], x: Sequence[float], y: Sequence[float], threshold: float
) -> Row:
    if min(*x, *y) <= 0:
        return _without_ratio(common, x, y)
    test = mann_whitney(x, y)
    logs = [math.log(value) for value in x], [math.log(value) for value in y]
    narrow, wide = _exp(shift(*logs, 0.90)), _exp(shift(*logs, 0.95))
    ratio = narrow.estimate if narrow else statistics.median(y) / statistics.median(x)
    why = "" if narrow else f"{len(x)} and {len(y)} values are too few for a 90 % interval"
    return _judged(common, narrow, wide, ratio, test.p, "Mann-Whitney", threshold, why)


def _without_ratio(common: dict[str, Any], x: Sequence[float], y: Sequence[float]) -> Row:
    """Compare by ranks alone: equal is what never differs, and no threshold applies."""
    test = mann_whitney(x, y)
    said = "equivalent" if set(x) == set(y) and len(set(x)) == 1 else "undecided"
    if test.p <= 0.05:
        up = statistics.median(y) > statistics.median(x)
        better = common["better"]
        said = "changed" if better is None else "better" if up == (better == "higher") else "worse"
    return Row(**common, ratio=None, ratio_interval=None, p=test.p, test="Mann-Whitney",
               outcome=said, why="no ratio with a number that is not above 0")  # fmt: skip


def _exp(found: Interval | None) -> Interval | None:
    if found is None:
        return None
    low, middle, high = (math.exp(v) for v in (found.low, found.estimate, found.high))
    return Interval(middle, low, high, found.level, found.n, found.method)


def _judged(
    common: dict[str, Any],
    narrow: Interval | None,
    wide: Interval | None,
    ratio: float,
    p: float,
    test: str,
    threshold: float,
    why: str,
) -> Row:
    if equivalent(narrow, 1 / (1 + threshold), 1 + threshold):
        said = "equivalent"
    else:
        said = outcome(wide, threshold, common["better"])
    bounds = narrow.bounds if narrow is not None else None
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


def environment(a: Side, b: Side) -> tuple[tuple[str, str, str], ...]:
    """Name what differs between the two beside the metrics: facts, then what was asked."""
    found: list[tuple[str, Any, Any]] = []
    if a.run != b.run or not a.run:
        found += [
            (name, a.facts.get(name), b.facts.get(name))
            for name in sorted({*a.facts, *b.facts})
            if not name.startswith(VOLATILE)
        ]
    skipped = ("claims", "title", "description", "source", "report", "lint", "name", "vars")
    one = flat({k: v for k, v in a.spec.items() if k not in skipped})
    other = flat({k: v for k, v in b.spec.items() if k not in skipped})
    found += [(f"spec.{k}", one.get(k), other.get(k)) for k in {**one, **other}]
    found += [(f"factor.{k}", a.where.get(k), b.where.get(k)) for k in {**a.where, **b.where}]
    return tuple((name, _said(x), _said(y)) for name, x, y in found if x != y)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Write nested data as `load.steps.0.connections: 100`."""
    if isinstance(value, dict):
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(str(at), item) for at, item in enumerate(value)]
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for key, item in pairs:
        found |= flat(item, f"{path}.{key}" if path else key)
    return found


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value) or "none"
    return str(value)
