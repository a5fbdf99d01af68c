"""What a workload printed or answered → numbers of a step, by the parsers of the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.analysis.trial import pages
from runner.kinds.sources import parsers
from runner.kinds.sources.interface import Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FLUSH_S = 1.0
"""The host sends lines about once a second."""


def of_step(
    events: Sequence[Mapping[str, Any]],
    start_s: float,
    end_s: float,
    *,
    index: int | None = None,
    patterns: tuple[tuple[str, str], ...] = (),
    asked: tuple[str, ...] = (),
) -> Found:
    """Numbers of one step, between two times since the trial's start.

    `index` is the step's: a page that was fetched after another step is not its.
    """
    # a workload that was kept started before its trial did
    started = next(
        (e.get("t", 0.0) - e.get("up_s", 0.0) for e in events if e["event"] == "workload_started"),
        0.0,
    )
    within = [e for e in events if start_s <= float(e.get("t", start_s)) <= end_s + FLUSH_S]
    # one table for each start of the workload: the step's own where every step had a fresh one
    tables: list[Mapping[str, Any]] = [e for e in events if e["event"] == "traced"]
    counts = tables[min(index or 0, len(tables) - 1)] if tables else {}
    printed = Printed(
        stdout=text_of(events, "stdout"),
        stderr=text_of(events, "stderr"),
        pages=pages.of_step(events, index),
        span_s=(start_s - started, end_s - started),
        stderr_within=text_of(within, "stderr"),
        patterns=patterns,
        asked=asked,
        traced=tuple(counts.get("calls") or ()),
        counts=str(counts.get("text") or ""),
    )
    found = Found()
    for parser in parsers().values():
        one = parser.parse(printed)
        found.numbers |= one.numbers
        found.why |= one.why
    return found


def text_of(events: Sequence[Mapping[str, Any]], stream: str) -> str:
    """Give everything that the workload printed on a stream."""
    return "".join(
        str(e.get("text", "")) for e in events if e["event"] == "output" and e["stream"] == stream
    )
