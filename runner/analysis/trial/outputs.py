"""What a workload printed or answered → numbers of a step, by the parsers of the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.analysis.trial import pages
from runner.kinds.sources import parse
from runner.kinds.sources.interface import Printed
from runner.records.trial_events import Output, Traced, WorkloadStarted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.analysis.trial.frames import Reading
    from runner.kinds.sources.interface import Found

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
) -> Found:
    """Numbers of one step, between two times since the trial's start, of what is `asked`.

    `index` is the step's: a page that was fetched after another step is not its.
    """
    # a workload that was kept started before its trial did
    started = next(((e.t or 0.0) - e.up_s for e in reading.every(WorkloadStarted)), 0.0)
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
    )
    families = dict.fromkeys(name.partition(".")[0] for name in asked)
    return parse(printed, tuple(families))


def text_of(said: Iterable[Output], stream: str) -> str:
    """Give everything that the workload printed on a stream."""
    return "".join(event.text for event in said if event.stream == stream)
