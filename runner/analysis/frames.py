"""Sample events → columns over time. One array of float64 per column; absent is NaN.

Rows are packed in chunks so that twelve hours at 10 Hz (432,000 rows) stay within
a few hundred megabytes: Python lists of that many numbers would not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Column = NDArray[np.float64]

CHUNK = 4096


@dataclass(frozen=True)
class Frame:
    """Samples of one trial; `t` in seconds since the trial's start, all columns as long."""

    t: Column
    columns: dict[str, Column]

    def window(self, start_s: float, end_s: float) -> Frame:
        """Rows with start ≤ t ≤ end (views, not copies)."""
        low, high = np.searchsorted(self.t, [start_s, end_s + 1e-9])
        return Frame(self.t[low:high], {k: v[low:high] for k, v in self.columns.items()})

    def values(self, column: str) -> Column:
        """Rows of a column that hold a number; empty where the column is absent."""
        found = self.columns.get(column)
        return np.empty(0) if found is None else found[~np.isnan(found)]


@dataclass
class _Part:
    """Rows between two `columns` events."""

    names: Sequence[str]
    rows: list[list[Any]] = field(default_factory=list)
    packed: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, t: float, values: list[Any]) -> None:
        self.rows.append([t, *values])
        if len(self.rows) >= CHUNK:
            self.pack()

    def pack(self) -> None:
        if self.rows:
            self.packed.append(np.array(self.rows, dtype=np.float64))
            self.rows = []


@dataclass(frozen=True)
class Reading:
    """A trial's events, samples apart from the rest."""

    frame: Frame
    events: tuple[dict[str, Any], ...]


def read(events: Iterable[dict[str, Any]]) -> Reading:
    """Sort a trial's events into samples and the rest, each in the order given."""
    rest: list[dict[str, Any]] = []
    parts: list[_Part] = []
    for event in events:
        kind = event.get("event")
        if kind == "sample":
            if parts and len(event["v"]) == len(parts[-1].names):
                parts[-1].add(event["t"], event["v"])
        elif kind == "columns":
            parts.append(_Part(event["names"]))
        else:
            rest.append(event)
    return Reading(_join(parts), tuple(rest))


def _join(parts: list[_Part]) -> Frame:
    for part in parts:
        part.pack()
    filled = [part for part in parts if part.packed]
    names = dict.fromkeys(name for part in filled for name in part.names)
    blocks = [np.concatenate(part.packed) for part in filled]
    if not blocks:
        return Frame(np.empty(0), {})
    t = np.concatenate([block[:, 0] for block in blocks])
    columns: dict[str, Column] = {}
    for name in names:
        pieces = []
        for part, block in zip(filled, blocks, strict=True):
            if name in part.names:
                pieces.append(block[:, 1 + list(part.names).index(name)])
            else:
                pieces.append(np.full(len(block), np.nan))
        columns[name] = np.concatenate(pieces)
    return Frame(t, columns)


def increase(values: Column) -> float | None:
    """Increase of a counter over its rows; a fall is a restart from zero.

    None with fewer than two rows. Source: Prometheus `increase` without
    extrapolation (promql/functions.go).
    """
    if len(values) < 2:
        return None
    steps = np.diff(values)
    return float(np.where(steps < 0, values[1:], steps).sum())


def thin(t: Column, v: Column, most: int) -> Iterator[tuple[float, float | None]]:
    """At most `most` points of a line, each the maximum of its stretch: peaks stay seen."""
    if len(t) == 0:
        return
    bounds = np.linspace(0, len(t), min(most, len(t)) + 1).astype(int)
    for low, high in pairwise(bounds):
        piece = v[low:high]
        number = None if np.isnan(piece).all() else float(np.nanmax(piece))
        yield float(t[low]), number
