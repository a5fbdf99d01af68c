"""What a workload printed or answered → numbers of a step, by the parsers of the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from runner.analysis.model import Series
from runner.analysis.trial import pages
from runner.analysis.trial.frames import thin
from runner.kinds.sources import parse
from runner.kinds.sources.interface import Printed
from runner.records.trial_events import Output, Traced, WorkloadStarted
from runner.spec.dimensions import lenient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.analysis.trial.frames import Reading
    from runner.kinds.sources.interface import Found
    from runner.records.steps import Asked
    from runner.spec.metrics import Metric

POINTS: Final = 600
FLUSH_S = 1.0
"""The host sends lines about once a second."""


def of_step(
    reading: Reading,
    start_s: float,
    end_s: float,
    *,
    index: int | None = None,
    patterns: tuple[tuple[str, str], ...] = (),
    asked: tuple[str, ...] = (),
    many: tuple[Asked, ...] = (),
) -> Found:
    """Numbers of one step, between two times since the trial's start, of what is `asked`.

    `index` is the step's: a page that was fetched after another step is not its.
    """
    started = _begun(reading)
    said = reading.every(Output)
    within = [e for e in said if start_s <= (start_s if e.t is None else e.t) <= end_s + FLUSH_S]
    # one table for each start of the workload: the step's own where every step had a fresh one
    tables = reading.every(Traced)
    counts = tables[min(index or 0, len(tables) - 1)] if tables else Traced()
    printed = Printed(
        stdout=text_of(said, "stdout"),
        stderr=text_of(said, "stderr"),
        pages=pages.of_step(reading.events, index),
        span_s=(start_s - started, end_s - started),
        stderr_within=text_of(within, "stderr"),
        patterns=patterns,
        asked=asked,
        traced=counts.calls,
        counts=counts.text or "",
        many=many,
        left_out={name: left_out(said, name) for name in ("stdout", "stderr")},
        left_out_within=_left_out_within(said, "stderr", end_s),
    )
    families = dict.fromkeys(name.partition(".")[0] for name in asked)
    return parse(printed, tuple(families))


def _begun(reading: Reading) -> float:
    """Give when the workload started, in seconds of the trial: a kept one did so before it."""
    return next(((e.t or 0.0) - e.up_s for e in reading.every(WorkloadStarted)), 0.0)


def text_of(said: Iterable[Output], stream: str) -> str:
    """Give everything that the workload printed on a stream."""
    return "".join(event.text for event in said if event.stream == stream)


def left_out(said: Iterable[Output], stream: str) -> int:
    """Count the characters of a stream that its host did not keep."""
    return sum(event.skipped for event in said if event.stream == stream)


def _left_out_within(said: Iterable[Output], stream: str, end_s: float) -> int:
    """Count them where they may have come before a time; 0 where all came after it."""
    before = 0.0
    for event in said:
        if event.stream != stream:
            continue
        if event.skipped:
            return event.skipped if before <= end_s + FLUSH_S else 0
        before = event.t or before
    return 0


def series(reading: Reading, trial_id: str, metrics: Mapping[str, Metric]) -> tuple[Series, ...]:
    """Give the lines that a program printed over time, by the metric's name, as sampled ones are.

    Times are of the trial: the program's own clock begins with it, or counts from 1970.
    """
    drawn = {name: one for name, one in metrics.items() if one.series is not None}
    many = tuple(asked for one in drawn.values() if (asked := one.asked) is not None)
    if not many:
        return ()
    names = tuple(one.name for one in many)
    read = [(of_step(one, 0.0, 0.0, asked=names, many=many), _begun(one)) for one in reading.lives]
    found = []
    for name, metric in drawn.items():
        times: list[float] = []
        values: list[float] = []
        for said, begun in read:
            at, what = said.series.get(metric.number, ((), ()))
            since = metric.series.since if metric.series is not None else ""
            origin = -begun if since == "start" else reading.origin
            times += [one - origin for one in at]
            values += what
        if not values:
            continue
        of = lenient(metric, metrics)
        points = list(thin(np.array(times), np.array([*map(of.base, values)]), POINTS))
        t, v = zip(*points, strict=True)
        found.append(Series(trial_id, name, of.unit, tuple(round(at, 3) for at in t), tuple(v)))
    return tuple(found)
