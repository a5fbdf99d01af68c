"""Columns that stay where they are kept until one of them is asked for, row by row range.

A long trial has hundreds of megabytes of samples, of which a step needs one column at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from runner.records.events import AnyEvent

    Column = NDArray[np.float64]


class Samples(Protocol):
    """The samples of a finished trial by column, and its other events as they were."""

    @property
    def names(self) -> Sequence[str]:
        """Columns, in the order of the host."""

    @property
    def t(self) -> Column:
        """Seconds since the trial's start, one for each sample."""

    @property
    def at(self) -> Column:
        """Unix seconds by the host's clock; 0 where the host did not say."""

    @property
    def events(self) -> Sequence[AnyEvent]:
        """All other events, in order."""

    def column(self, name: str, low: int, high: int) -> Column:
        """Give the rows low ≤ i < high of one column; NaN where there was no number."""

    def values(self, names: Sequence[str], low: int, high: int) -> Iterator[tuple[str, Column]]:
        """Yield the numbers alone that stand in these rows of each column, in any order."""

    def keep(self, names: Sequence[str], low: int, high: int) -> None:
        """Have these rows of these columns at hand for `column`, as far as they are not large."""


class PackedColumns(Mapping[str, "Column"]):
    """Some rows of every column, each read when it is asked for."""

    def __init__(
        self,
        source: Samples,
        derived: Mapping[str, Callable[[int, int], Column]],
        low: int,
        high: int,
    ) -> None:
        """`derived` are made of others, for the rows that are asked for."""
        self._source = source
        self._names = dict.fromkeys(source.names)
        self._derived = derived
        self._low, self._high = low, high

    def window(self, low: int, high: int) -> PackedColumns:
        """Narrow to the rows low ≤ i < high of these."""
        first = self._low
        return PackedColumns(self._source, self._derived, first + low, first + high)

    def numbers(self, names: Iterable[str]) -> Iterator[tuple[str, Column]]:
        """Yield the numbers alone of each of these columns that is here, in any order."""
        wanted = [name for name in dict.fromkeys(names) if name in self]
        for name in wanted:
            if name in self._derived:
                column = self[name]
                yield name, column[~np.isnan(column)]
        stored = [name for name in wanted if name not in self._derived]
        yield from self._source.values(stored, self._low, self._high)

    def keep(self, names: Iterable[str]) -> None:
        """Read what will be asked for of these columns in one go."""
        stored = [n for n in dict.fromkeys(names) if n in self._names and n not in self._derived]
        self._source.keep(stored, self._low, self._high)

    def __getitem__(self, name: str) -> Column:
        if name in self._derived:
            return self._derived[name](self._low, self._high)
        if name not in self._names:
            raise KeyError(name)
        return self._source.column(name, self._low, self._high)

    def __contains__(self, name: object) -> bool:
        return name in self._names or name in self._derived

    def __iter__(self) -> Iterator[str]:
        yield from {**self._names, **self._derived}

    def __len__(self) -> int:
        return len({**self._names, **self._derived})
