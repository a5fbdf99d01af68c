"""Whether a step was in a steady state. A mark beside its numbers, nothing is left out. Pure.

A quantity is not steady where both hold: each tenth of the step's second half lies above
(or each below) every tenth of its first half, and the halves' means differ by more than 5 %
of the step's mean. The first is the rank-sum test at its strictest (Mann and Whitney 1947,
Annals of Mathematical Statistics 18, 50-60): 2 in 252 by chance. The second leaves out
what is real and too small to matter. How fast is the slope of Theil (1950) and Sen (1968,
JASA 63, 1379-1389) through the tenths. That a mean over a step which has not settled says
little: Georges, Buytaert and Eeckhout 2007, OOPSLA, §3.3.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.trial.frames import Column, Frame
    from runner.kinds.sources.interface import Field
    from runner.records.trial_events import RequestLog

WATCHED: Final = ("net.established", "procfs.rss", "cgroup.usage")
"""Gauges; with a log of single requests `load.rps` as well."""
PARTS: Final = 10
MATTERS: Final = 0.05
EACH: Final = 2
"""Samples that a tenth needs, at the least."""
RULE: Final = (
    "not steady is what lies higher (or lower) in every tenth of a step's second half than in "
    f"every one of its first, by more than {MATTERS:.0%} between the halves"
)


def judge(
    frame: Frame,
    span: tuple[float, float],
    fields: Mapping[str, Field],
    per_s: Sequence[int] | None = None,
) -> tuple[str, ...] | None:
    """Say what was not steady in the measured part of a step; None where nothing can be judged.

    `span` in seconds since the trial's start; `per_s` are requests begun in each second.
    """
    found = []
    judged = False
    for name in WATCHED:
        spec = fields.get(name)
        column = None if spec is None else frame.columns.get(spec.column)
        if column is None:
            continue
        seen = ~np.isnan(column)
        parts = tenths(frame.t[seen].astype(np.float64), column[seen], span)
        if parts is not None:
            judged = True
            found.append(said(name, parts, span[1] - span[0]))
    if per_s is not None and len(per_s) >= PARTS * EACH:
        counts = np.asarray(per_s, dtype=np.float64)
        parts = tenths(
            np.arange(len(counts), dtype=np.float64) + 0.5, counts, (0.0, float(len(counts)))
        )
        if parts is not None:
            judged = True
            found.append(said("load.rps", parts, float(len(counts))))
    return tuple(text for text in found if text) if judged else None


def tenths(t: Column, values: Column, span: tuple[float, float]) -> Column | None:
    """Give the mean of each tenth of a span; None where one has fewer than two samples."""
    edges = np.linspace(*span, PARTS + 1)
    places = np.searchsorted(t, edges)
    places[-1] = np.searchsorted(t, edges[-1], side="right")
    if int(np.diff(places).min()) < EACH:
        return None
    return np.array([values[low:high].mean() for low, high in pairwise(places)])


def said(name: str, parts: Column, seconds: float) -> str:
    """Say how a quantity changes over its tenths; empty where it is steady."""
    first, second = parts[: PARTS // 2], parts[PARTS // 2 :]
    mean = float(np.abs(parts).mean())
    change = float(second.mean() - first.mean())
    apart = second.min() > first.max() or second.max() < first.min()
    if not apart or not mean or abs(change) <= MATTERS * mean:
        return ""
    low, high = np.triu_indices(PARTS, 1)
    slope = float(np.median((parts[high] - parts[low]) / (high - low))) * PARTS / seconds / mean
    return f"{name} {'rises' if change > 0 else 'falls'} {abs(slope):.2%} per second"


def per_second(log: RequestLog | None) -> Sequence[int] | None:
    """Requests begun in each whole second of a log: the first and the last one are cut."""
    counts = log.per_s if log is not None else None
    return counts[1:-1] if counts else None
