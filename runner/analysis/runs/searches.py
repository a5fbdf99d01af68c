"""The searches of a run, joined for its report. Pure.

Levels are pooled over searches only to be shown; the result is a value per
search, and its interval is over searches.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from runner.analysis.stats.intervals import median_interval
from runner.planning.search_fit import Fit
from runner.records.manifest import Searches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import SearchRow, SearchShown
    from runner.records.manifest import SearchRun

POINTS = 120
SPREAD = 0.15
"""Share of the level by which the drawn curve goes beyond what was found."""


def summarised(search: Searches | None) -> SearchShown | None:
    """Give what the report shows of the searches; None where there were none."""
    if search is None or not search.runs:
        return None
    runs = search.runs
    passes: dict[int, int] = defaultdict(int)
    tried: dict[int, int] = defaultdict(int)
    for run in runs:
        for level, healthy, trials in run.table:
            passes[level] += healthy
            tried[level] += trials
    halves = [run.p_healthy for run in runs if run.p_healthy is not None]
    interval = median_interval(halves) if halves else None
    notes = [
        f"search {run.repetition} ended at the {run.at_bound} bound: the level lies beyond"
        for run in runs
        if run.at_bound
    ]
    notes += [
        f"search {run.repetition}: a level failed below one that passed: {_pairs(run.inversions)}"
        for run in runs
        if not run.monotone
    ]
    notes += [
        f"search {run.repetition}: {effect}"
        for run in runs
        for effect in (*run.effects, *_dips(run))
    ]
    notes += [_kept(run) for run in runs if run.workload == "keep"]
    return {
        "what": search.what,
        "unit": search.unit,
        "half": statistics.median(halves) if halves else None,
        "interval": None if interval is None else [interval.low, interval.high],
        "monotone": all(run.monotone for run in runs),
        "searches": [
            {
                "repetition": run.repetition,
                "treatment": run.treatment,
                "level": run.level,
                "last_passing": run.last_passing,
                "first_failing": run.first_failing,
                "trials": run.trials,
                "interval": [run.fitted.low, run.fitted.high] if run.fitted else None,
                "ended": (run.at_bound and f"at the {run.at_bound} bound") or run.why,
            }
            for run in runs
        ],
        "levels": [
            {"level": level, "passes": passes[level], "trials": tried[level]}
            for level in sorted(tried)
        ],
        "curve": _curve(runs),
        "notes": notes,
        "runs": [_row(run) for run in runs],
    }


def searches_of(shown: SearchShown | None) -> Searches | None:
    """Give the searches back of what `summarised` made of them."""
    if not shown or not shown.get("runs"):
        return None
    return msgspec.convert(
        {"what": shown["what"], "runs": shown["runs"], "unit": shown.get("unit") or "1"}, Searches
    )


def _pairs(inversions: Sequence[tuple[int, int]]) -> list[list[int]]:
    return [list(pair) for pair in inversions]


def _row(run: SearchRun) -> SearchRow:
    """Give a search as analysis.json has it."""
    row: SearchRow = msgspec.json.decode(msgspec.json.encode(run))
    return row


def _dips(run: SearchRun) -> list[str]:
    """Say which levels around the one found were not on their side of it."""
    levels = ", ".join(map(str, run.dips))
    return [f"health does not fall with the level: it changes again at {levels}"] if levels else []


def _kept(run: SearchRun) -> str:
    """Say how many workloads a search that keeps its workload has had."""
    many = run.workloads
    if many == 1:
        return f"search {run.repetition}: one workload was kept for all its trials"
    return (
        f"search {run.repetition}: {many} workloads; one that dies or answers no more is "
        "followed by a fresh one"
    )


def _curve(runs: Sequence[SearchRun]) -> list[list[float]]:
    """Give the mean of the fitted curves where it moves: around the levels they found."""
    fits = [Fit(**msgspec.structs.asdict(run.fitted)) for run in runs if run.fitted]
    if not fits:
        return []
    low = math.log(min(fit.half for fit in fits) * (1 - SPREAD))
    high = math.log(max(fit.half for fit in fits) * (1 + SPREAD))
    points = []
    for index in range(POINTS):
        level = math.exp(low + (high - low) * index / (POINTS - 1))
        points.append([level, statistics.fmean(fit.p(level) for fit in fits)])
    return points
