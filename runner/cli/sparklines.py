"""The declared metrics as small lines under what a terminal shows of a run that goes on.

A metric of a sampled source is drawn over the trial that runs, a counter as its increase per
second; any other metric over the trials that have ended. Unicode's blocks have eight heights
(U+2581 to U+2588): the lowest value of a line is the lowest block, the highest the highest.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runner.records.amounts import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from runner.analysis.model import Trial
    from runner.kinds.sources.interface import Field
    from runner.spec.experiment import Experiment
    from runner.spec.metrics import Metric

BLOCKS: Final = "▁▂▃▄▅▆▇█"
POINTS: Final = 24
MOST: Final = 6
"""Metrics that are drawn, the first ones of the spec."""


def drawable(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether blocks can be shown there: a terminal, in a locale of UTF-8."""
    names = (environment.get(key) for key in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "").lower().replace("-", "")
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    return stream.isatty() and "utf8" in locale and encoding == "utf8"


def sparkline(values: Iterable[float]) -> str:
    """Give a block for each value; those of a flat line are of middle height."""
    known = list(values)
    low = min(known, default=0.0)
    span = max(known, default=0.0) - low
    if not span or not math.isfinite(span):
        return BLOCKS[3] * len(known)
    last = len(BLOCKS) - 1
    return "".join(BLOCKS[min(last, int((v - low) / span * len(BLOCKS)))] for v in known)


@dataclass
class Trace:
    """A line of any length in at most POINTS points, each the mean of as many values."""

    points: list[float] = field(default_factory=list)
    last: float = math.nan
    _every: int = 1
    _held: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        """Add one value."""
        self.last = value
        self._held.append(value)
        if len(self._held) < self._every:
            return
        self.points.append(sum(self._held) / self._every)
        self._held = []
        if len(self.points) == POINTS:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [(a + b) / 2 for a, b in pairs]
            self._every *= 2


@dataclass
class _Board:
    """What one board's trial has sampled so far."""

    places: dict[str, int] = field(default_factory=dict)
    traces: defaultdict[str, Trace] = field(default_factory=lambda: defaultdict(Trace))
    before: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Of a counter: when it was read last, and what it was."""


class Sparklines:
    """The lines of one experiment's metrics."""

    def __init__(self, experiment: Experiment) -> None:
        from runner.kinds.sources import fields

        known = fields({}, experiment.families)
        numbers = {n: m for n, m in experiment.metrics.items() if m.kind != "text"}
        self._metrics = dict(list(numbers.items())[:MOST])
        self._sampled: dict[str, Field] = {}
        for name, metric in self._metrics.items():
            source = known.get(_source(metric))
            if source is not None and not metric.pattern:
                self._sampled[name] = source
        self._boards: dict[str, _Board] = {}
        self._trials: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=POINTS))
        self._units: dict[str, str] = {}

    def begin(self, board: str, columns: Sequence[str]) -> None:
        """Begin the lines of a trial that samples these columns."""
        self._boards[board] = _Board({name: i for i, name in enumerate(columns)})

    def sample(self, board: str, t: float, values: Sequence[float | None]) -> None:
        """Take one sample at `t` seconds."""
        at = self._boards.setdefault(board, _Board())
        for name, source in self._sampled.items():
            place = at.places.get(source.column, len(values))
            number = values[place] if place < len(values) else None
            if number is None:
                continue
            value = number * source.scale
            if source.kind == "counter":
                before, at.before[name] = at.before.get(name), (t, value)
                if before is None or t <= before[0] or value < before[1]:
                    continue
                value = (value - before[1]) / (t - before[0])
            at.traces[name].add(value)

    def ended(self, board: str, trial: Trial) -> None:
        """Take the values of a trial that was judged, where it counts."""
        from runner.analysis.claims.estimates import estimates
        from runner.records.outcome import MEASURED

        self._boards.pop(board, None)
        if trial.outcome not in MEASURED:
            return
        for one in estimates(self._metrics, (trial,), None):
            known = [value for value in one.values if value is not None]
            if known:
                self._trials[one.metric].append(known[-1])
                self._units[one.metric] = one.unit

    def lines(self, board: str, label: str) -> list[str]:
        """Give the lines of the trial that runs on a board."""
        traces = self._boards.get(board, _Board()).traces
        lines = []
        for name, source in self._sampled.items():
            if len(traces[name].points) > 1:
                unit = self._metrics[name].unit or source.unit
                shown = amount(traces[name].last, source.unit if source.kind == "counter" else unit)
                per = " per s" if source.kind == "counter" else ""
                lines.append(f"   {label}{name} {sparkline(traces[name].points)} {shown}{per}")
        return lines

    def of_trials(self) -> list[str]:
        """Give the lines over trials that have ended, of metrics that are not sampled."""
        return [
            f"   {name} {sparkline(values)} {amount(values[-1], self._units[name])} "
            f"({len(values)} trials)"
            for name, values in self._trials.items()
            if name not in self._sampled and len(values) > 1
        ]


def _source(metric: Metric) -> str:
    """Name the quantity that is sampled: `procfs.rss` of `procfs.rss.median`."""
    from runner.kinds.units import VARIANTS

    name = metric.source or ""
    front, _, variant = name.rpartition(".")
    return front if variant in VARIANTS else name
