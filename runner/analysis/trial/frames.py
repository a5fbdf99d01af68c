"""Sample events → columns over time. One array of float64 per column; absent is NaN.

Rows are packed in chunks so that twelve hours at 10 Hz (432,000 rows) stay within
a few hundred megabytes: Python lists of that many numbers would not.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from runner.analysis.trial.packed import PackedColumns
from runner.records.event import Event
from runner.records.trial_events import (
    Absent,
    Columns,
    PortTaken,
    Prepared,
    Sample,
    StateChecked,
    StepEnded,
    StepStarted,
    TrialStarted,
    WorkloadExited,
    WorkloadStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from runner.analysis.trial.packed import Samples
    from runner.records.events import AnyEvent

    Column = NDArray[np.float64]

CHUNK = 4096
JITTER = 0.01
CLOCK_LOW, CLOCK_HIGH = "clock.low", "clock.high"
"""Columns that no host names: between what wall clock minus monotonic clock was, in seconds.

A sample's `t` is read before its numbers and its `at` when it is written, later by as much as the
host was busy. It was written before the next sample's `t`, which is the other bound.
"""
LIMIT = "cgroup.limit"
UNLIMITED = 2**60
E = TypeVar("E", bound=Event)
Stepped = TypeVar("Stepped", StepStarted, StepEnded, StateChecked)


@dataclass(frozen=True)
class Rise:
    """A counter over its rows: how many there are, the first, the last, and its increase."""

    count: int
    first: float
    last: float
    increase: float | None


@dataclass(frozen=True)
class Frame:
    """Samples of one trial; `t` in seconds since the trial's start, all columns as long."""

    t: Column
    columns: Mapping[str, Column]
    rises: dict[str, Rise] = field(default_factory=dict, compare=False, repr=False)
    """Of the counters that were looked at."""

    def window(self, start_s: float, end_s: float) -> Frame:
        """Rows with start ≤ t ≤ end (views, not copies)."""
        low, high = np.searchsorted(self.t, [start_s, end_s + 1e-9])
        if isinstance(self.columns, PackedColumns):
            return Frame(self.t[low:high], self.columns.window(int(low), int(high)))
        return Frame(self.t[low:high], {k: v[low:high] for k, v in self.columns.items()})

    def values(self, column: str) -> Column:
        """Rows of a column that hold a number; empty where the column is absent."""
        found = self.columns.get(column)
        return np.empty(0) if found is None else found[~np.isnan(found)]

    def head(self, rows: int) -> Frame:
        """Narrow to the first rows."""
        if isinstance(self.columns, PackedColumns):
            return Frame(self.t[:rows], self.columns.window(0, rows))
        return Frame(self.t[:rows], {k: v[:rows] for k, v in self.columns.items()})

    def each(self, columns: Iterable[str]) -> Iterator[tuple[str, Column]]:
        """Yield the same of many columns, those that are here, in the order of cheapest reading."""
        if isinstance(self.columns, PackedColumns):
            yield from self.columns.numbers(columns)
            return
        for name in dict.fromkeys(columns):
            if name in self.columns:
                yield name, self.values(name)

    def keep(self, columns: Iterable[str]) -> None:
        """Read columns in one go that will be asked for row by row; nothing where all are here."""
        if isinstance(self.columns, PackedColumns):
            self.columns.keep(columns)

    def rise(self, column: str) -> Rise:
        """Give what a counter did; the rows are read once, however often it is asked for."""
        if column not in self.rises:
            self.rises[column] = rise(self.values(column))
        return self.rises[column]


class _Columns:
    """Growing columns; rows of a host that restarts its columns are filled by name.

    Of `array`, which grows in place: joining packed blocks at the end would need the
    memory of all samples twice over.
    """

    def __init__(self) -> None:
        self._t = array("d")
        self._grown: dict[str, array[float]] = {}
        self._names: Sequence[str] | None = None
        self._rows: list[list[int | float | None]] = []

    def begin(self, names: Sequence[str]) -> None:
        self._pack()
        # a host that names a column twice says nothing of which is meant: its rows are nobody's
        self._names = names if len(set(names)) == len(names) else None

    def add(self, t: float, values: list[int | float | None]) -> None:
        if self._names is None or len(values) != len(self._names):
            return
        self._rows.append([t, *values])
        if len(self._rows) >= CHUNK:
            self._pack()

    def _pack(self) -> None:
        if not self._rows or self._names is None:
            return
        block: Column = np.array(self._rows, dtype=np.float64)
        self._rows = []
        before = len(self._t)
        self._t.frombytes(block[:, 0].tobytes())
        for index, name in enumerate(self._names):
            grown = self._grown.setdefault(name, array("d"))
            _pad(grown, before)
            grown.frombytes(block[:, 1 + index].tobytes())

    def taken(self) -> tuple[Column, dict[str, Column]]:
        self._pack()
        for grown in self._grown.values():
            _pad(grown, len(self._t))
        return (
            np.frombuffer(self._t) if self._t else np.empty(0),
            {name: np.frombuffer(grown) for name, grown in self._grown.items()},
        )


def _pad(grown: array[float], length: int) -> None:
    """Fill with NaN where the column was not there."""
    grown.frombytes(np.full(length - len(grown), np.nan).tobytes())


@dataclass(frozen=True)
class Reading:
    """A trial's events, samples apart from the rest."""

    frame: Frame
    events: tuple[AnyEvent, ...]

    def every(self, kind: type[E]) -> list[E]:
        """Give the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[E]) -> E | None:
        """Give the last event of one kind; None where there is none."""
        return next((e for e in reversed(self.events) if isinstance(e, kind)), None)

    def life(self, index: int) -> Reading:
        """Give what is of the workload that ran a step, from its preparation to its end.

        The whole where one workload ran them all. Samples stay: they go by time.
        """
        return next((one for one in self.lives if one.of_step(StepStarted, index)), self.lives[-1])

    @cached_property
    def lives(self) -> list[Reading]:
        """The same for each workload of the trial, in order; one at least."""
        lives: list[list[AnyEvent]] = [[]]
        over = False
        for event in self.events:
            if over and (
                isinstance(event, WorkloadStarted)
                or (isinstance(event, Prepared) and event.when == "before")
            ):
                lives.append([one for one in lives[0] if isinstance(one, TrialStarted)])
                over = False
            over = over or isinstance(event, WorkloadExited | PortTaken)
            lives[-1].append(event)
        return [Reading(self.frame, tuple(life)) for life in lives]

    def of_step(self, kind: type[Stepped], index: int | None) -> Stepped | None:
        """Give the first event of one kind that is of a step; of an idle time without index."""
        return next((event for event in self.every(kind) if event.index == index), None)

    @property
    def origin(self) -> float:
        """When the trial began, in unix seconds; 0 where the record does not say."""
        return next((e.at for e in self.events if isinstance(e, TrialStarted)), 0.0)

    @property
    def absent(self) -> dict[str, str]:
        """Why a read or a column is not there, by its id."""
        return {event.id: event.reason for event in self.every(Absent)}

    def time_of(self, event: Event) -> float:
        """Seconds since the trial's start."""
        return event.t if event.t is not None else event.at - self.origin


def read(events: Iterable[AnyEvent]) -> Reading:
    """Sort a trial's events into samples and the rest, each in the order given."""
    rest: list[AnyEvent] = []
    columns = _Columns()
    offsets = array("d")
    for event in events:
        if isinstance(event, Sample):
            columns.add(event.t, event.v)
            # a clock that was set, and set back, is seen by its ends as one that was not
            offsets.append(event.at - event.t if event.at else math.nan)
        elif isinstance(event, Columns):
            columns.begin(event.names)
        else:
            rest.append(event)
    t, made = columns.taken()
    if LIMIT in made:
        made[LIMIT] = _limited(made[LIMIT])
    if offsets and len(offsets) == len(t):
        made |= _clock(np.frombuffer(offsets), t)
    return Reading(Frame(t, made), tuple(rest))


def read_packed(samples: Samples) -> Reading:
    """Give the same of samples that are kept by column: each is read when it is asked for."""
    t = samples.t
    derived: dict[str, Callable[[int, int], Column]] = {}
    if LIMIT in samples.names:
        derived[LIMIT] = lambda low, high: _limited(samples.column(LIMIT, low, high))

    def clock(name: str, low: int, high: int) -> Column:
        at, since = samples.at[low:high], t[low : high + 1]
        found = _clock(np.where(at != 0, at - since[: len(at)], np.nan), since)
        return found[name]

    if len(t):
        derived |= {name: partial(clock, name) for name in (CLOCK_LOW, CLOCK_HIGH)}
    rest = tuple(event for event in samples.events if not isinstance(event, Columns))
    return Reading(Frame(t, PackedColumns(samples, derived, 0, len(t))), rest)


def _limited(limit: Column) -> Column:
    # `v1` says of a group without a limit the highest page below 2^63, `v2` says `max`
    found: Column = np.where(limit < UNLIMITED, limit, np.nan)
    return found


def _clock(high: Column, t: Column) -> dict[str, Column]:
    """Give both bounds of rows of which `t` may have the next one, too."""
    after = np.diff(t) if len(t) > len(high) else np.diff(t, append=np.inf)
    return {CLOCK_HIGH: high, CLOCK_LOW: high - after}


def increase(values: Column) -> float | None:
    """Increase of a counter over its rows; a fall is a restart from zero.

    Not one of less than a hundredth: the kernel's idle and iowait go back a little now and then
    (proc(5), /proc/stat). None with fewer than two rows. Source: Prometheus `increase` without
    extrapolation (promql/functions.go).
    """
    if len(values) < 2:
        return None
    steps, after = np.diff(values), values[1:]
    if steps.min() >= 0:
        return float(steps.sum())
    again = np.where(after < (1 - JITTER) * values[:-1], after, 0.0)
    return float(np.where(steps < 0, again, steps).sum())


def rise(values: Column) -> Rise:
    """Give what a counter did; its ends are NaN where it has no rows."""
    if not len(values):
        return Rise(0, math.nan, math.nan, None)
    return Rise(len(values), float(values[0]), float(values[-1]), increase(values))


def thin(t: Column, v: Column, most: int) -> Iterator[tuple[float, float | None]]:
    """At most `most` points of a line, each the maximum of its stretch: peaks stay seen."""
    if len(t) == 0:
        return
    bounds = np.linspace(0, len(t), min(most, len(t)) + 1).astype(int)
    for low, high in pairwise(bounds):
        piece = v[low:high]
        number = None if np.isnan(piece).all() else float(np.nanmax(piece))
        yield float(t[low]), number
