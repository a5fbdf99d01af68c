"""Rows of a comparison before their test: medians, ratio and interval of two sides."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from runner.analysis.claims.pairing import units
from runner.analysis.claims.rows import of_trial
from runner.analysis.claims.values import counted
from runner.analysis.runs.compared import Common, Row, direction
from runner.analysis.stats.intervals import Interval, shift
from runner.analysis.stats.significance import outcome, paired

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.claims.rows import Key as Block
    from runner.analysis.model import Analysis, Estimate


def empty(common: Common, why: str) -> Row:
    """Give a row with nothing to compare."""
    return Row(
        **common, ratio=None, ratio_interval=None, p=None, test="",
        outcome="not comparable", why=why,
    )  # fmt: skip


def exact(common: Common, x: float, y: float, threshold: float) -> Row:
    """Two exact numbers differ or they do not; chance has no part in it."""
    if x == y:
        return Row(**common, ratio=1.0, ratio_interval=(1.0, 1.0), p=None, test="exact",
                   outcome="equivalent")  # fmt: skip
    if x * y <= 0:
        return _difference(common, x, y)
    ratio = y / x
    result = outcome(Interval(ratio, ratio, ratio, 1.0, 1, "exact"), threshold, common["better"])
    return Row(**common, ratio=ratio, ratio_interval=(ratio, ratio), p=None, test="exact",
               outcome=result)  # fmt: skip


def _difference(common: Common, x: float, y: float) -> Row:
    """Name the better of two exact numbers that have no ratio."""
    result = direction(common["better"], up=y > x)
    return Row(**common, ratio=None, ratio_interval=None, p=None, test="exact", outcome=result,
               why="no ratio with a number that is not above 0")  # fmt: skip


def of_pairs(common: Common, blocks: Sequence[tuple[float, float]], why: str) -> Row:
    """Give the median of the ratios within blocks, with its interval."""
    x, y = [one for one, _ in blocks], [other for _, other in blocks]
    if why:
        return _plain(common, why, x == y)
    ratios = paired(x, y, 0.90)
    bounds = ratios.interval.bounds if ratios.interval is not None else None
    return Row(**common, ratio=statistics.median(ratios.values), ratio_interval=bounds, p=None,
               test="", outcome="undecided", why=ratios.why,
               ratio_of="paired ratios' median")  # fmt: skip


def of_values(common: Common, x: Sequence[float], y: Sequence[float], why: str) -> Row:
    """Give the Hodges-Lehmann ratio of unpaired values, with its interval."""
    if why:
        return _plain(common, why, set(x) == set(y) and len(set(x)) == 1)
    logs = [math.log(value) for value in x], [math.log(value) for value in y]
    ratio = _exp(shift(*logs, 0.90))
    few = "" if ratio else f"{len(x)} and {len(y)} values are too few for a 90 % interval"
    return Row(
        **common, ratio=ratio.estimate if ratio else statistics.median(y) / statistics.median(x),
        ratio_interval=ratio.bounds if ratio else None, p=None, test="", outcome="undecided",
        why=few, ratio_of="Hodges-Lehmann ratio" if ratio else "medians' ratio",
    )  # fmt: skip


def _plain(common: Common, why: str, same: bool) -> Row:
    """Compare without a ratio: equal is what never differs, and no threshold applies."""
    return Row(**common, ratio=None, ratio_interval=None, p=None, test="",
               outcome="equivalent" if same else "undecided", why=why)  # fmt: skip


def _exp(logs: Interval | None) -> Interval | None:
    if logs is None:
        return None
    low, middle, high = (math.exp(v) for v in (logs.low, logs.estimate, logs.high))
    return Interval(middle, low, high, logs.level, logs.n, logs.method)


def keyed(analysis: Analysis, item: Estimate) -> dict[Block, float]:
    """Give an estimate's values by the key of their block; those that are missing are left out."""
    if item.repetitions:
        keys = [one.key for one in item.repetitions]
    else:
        known = by_repetition(analysis, item)
        keys = [one.key for one in units(item)]
        if known is not None:
            keys = [("", "", "", "", repetition) for repetition in known]
    pairs = zip(keys, item.values, strict=True)
    return {key: value for key, value in pairs if value is not None}


def by_repetition(analysis: Analysis, item: Estimate) -> dict[int, float | None] | None:
    """Give an estimate's values by their repetition; None where they cannot be told apart."""
    if item.repetitions:
        repetitions = [one.repetition for one in item.repetitions]
    else:
        runs = (analysis.search or {}).get("runs") or []
        repetitions = [
            run["repetition"] for run in runs if dict(run["treatment"]) == item.treatment
        ]
    if not repetitions:
        repetitions = sorted(
            of_trial(trial).repetition
            for trial in counted(analysis.trials)
            if trial.treatment == item.treatment
            and (item.step is None or any(step.name == item.step for step in trial.steps))
        )
    if len(repetitions) != len(item.values) or len(set(repetitions)) != len(repetitions):
        return None
    return dict(zip(repetitions, item.values, strict=True))
