"""Samples of a finished trial by column: one Parquet file, which holds its other events as well.

    events/<trial>.parquet   t, at, then a column for each that was sampled: whole numbers as
                             64-bit integers, delta-coded; all else as doubles; null as null
      its metadata           runner.format, runner.rest (the other lines as they were, zlib in
                             base64), runner.before (how many samples stand before each of them)

Written by `packing` through DuckDB, which is imported where such a file is made or read. Numbers
are doubles, as every reader takes them: an integer of 2^53 or more keeps the 53 bits that a
double has. What does not fit (columns that change within a trial, pages fetched as bytes, a
surrogate in a line) stays lines of JSON, and is told why.
"""

from __future__ import annotations

import base64
import zlib
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from runner.errors import RecordError
from runner.records.events import AnyEvent, decode
from runner.records.trial_events import Columns, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

    Column = NDArray[np.float64]
    Stored = NDArray[np.float64] | NDArray[np.int64]

SUFFIX: Final = ".parquet"
FORMAT: Final = "samples/1"
LEAST_BYTES: Final = 4_000_000
"""A smaller spool is smaller as compressed lines: a Parquet file names each of its columns."""
MEMORY: Final = "256MB"
CACHED_BYTES: Final = 48_000_000
ROW: Final = "file_row_number"
"""What DuckDB calls the number of a row in its file, which no column can be called."""
READ_BYTES: Final = 24_000_000
"""Columns that are read by one query and used at once."""
LEAST_SHARE: Final = 0.25
"""Of rows with a number, where many columns are read: they may lie apart, whatever was counted."""
BATCH: Final = 2048
GROUP: Final = 40_960
"""Rows of a row group: what is read at least for one row of one column."""


class NotPackedError(ValueError):
    """Why the events of a trial stay lines of JSON."""


def connect() -> duckdb.DuckDBPyConnection:
    """Open an engine of bounded memory; NotPackedError where DuckDB is not installed."""
    try:
        import duckdb
    except ImportError:
        raise NotPackedError("DuckDB is not installed") from None
    con = duckdb.connect()
    # one thread holds no more than a few row groups
    con.execute(f"SET memory_limit='{MEMORY}'; SET threads=1; SET temp_directory=''")
    # without this one thread, too, gives rows that a filter leaves in another order now and then
    con.execute("SET preserve_insertion_order=true")
    return con


def quoted(name: str) -> str:
    """Write a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: object) -> str:
    """Write a text as SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def _filled(found: Stored) -> Column:
    """Give doubles, NaN where there is null."""
    if isinstance(found, np.ma.MaskedArray):
        filled: Column = np.ma.filled(found.astype(np.float64), np.nan)
        return filled
    return np.asarray(found, dtype=np.float64)


def _numbers(found: Stored) -> Column:
    """Give the doubles alone."""
    if isinstance(found, np.ma.MaskedArray):
        kept = found.data[~np.ma.getmaskarray(found)]
    else:
        kept = np.asarray(found)
    numbers: Column = kept.astype(np.float64, copy=False)
    return numbers if kept.dtype.kind == "i" else numbers[~np.isnan(numbers)]


class PackedSamples:
    """One such file, read by column."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cached: OrderedDict[tuple[str, int, int], Column] = OrderedDict()
        try:
            self._con = connect()
        except NotPackedError as error:
            raise RecordError(
                f"{path} is Parquet, and {error}",
                fix="pip install duckdb, or read the record on another machine",
            ) from None
        import duckdb

        self._fault = duckdb.Error
        self._con.execute("SET parquet_metadata_cache=true")
        said = dict(self._rows(f"SELECT decode(key), value FROM parquet_kv_metadata({self._from})"))  # noqa: S608
        if said.get("runner.format") != FORMAT.encode():
            raise RecordError(f"{path} is not of format {FORMAT}", fix="use a newer runner")
        try:
            lines = zlib.decompress(base64.b64decode(said["runner.rest"])).splitlines(keepends=True)
            self.events: tuple[AnyEvent, ...] = tuple(decode(line) for line in lines)
            self.before: list[int] = msgspec.json.decode(said["runner.before"], type=list[int])
        except (KeyError, ValueError, zlib.error, msgspec.MsgspecError) as error:
            raise RecordError(
                f"{path} is damaged: {error}", fix="restore the file from git"
            ) from error
        self.names = next(e.names for e in self.events if isinstance(e, Columns))

    @property
    def _from(self) -> str:
        return text(self.path)

    def _rows(self, sql: str) -> list[tuple[str, bytes]]:
        try:
            return self._con.execute(sql).fetchall()
        except self._fault as error:
            raise self._damage(error) from None

    def _damage(self, error: Exception) -> RecordError:
        said = str(error).splitlines()[0]
        return RecordError(f"cannot read {self.path}: {said}", fix="restore the file from git")

    def _found(self, names: Sequence[str], where: str = "true") -> dict[str, Stored]:
        try:
            source = f"read_parquet({self._from}, {ROW}=true)"
            sql = f"SELECT {', '.join(map(quoted, names))} FROM {source} WHERE {where}"  # noqa: S608
            found: dict[str, Stored] = self._con.execute(sql).fetchnumpy()
        except self._fault as error:
            raise self._damage(error) from None
        return found

    @cached_property
    def t(self) -> Column:
        """Seconds since the trial's start."""
        return _filled(self._found(["t"])["t"])

    @cached_property
    def at(self) -> Column:
        """Unix seconds, 0 where the host did not say."""
        return np.nan_to_num(_filled(self._found(["at"])["at"]), nan=0.0)

    def column(self, name: str, low: int, high: int) -> Column:
        """Give the rows low ≤ i < high of one column; those asked for last are kept."""
        if low >= high:
            return np.empty(0)
        key = (name, low, high)
        if key in self._cached:
            self._cached.move_to_end(key)
            return self._cached[key]
        found = _filled(self._found([name], self._where(low, high))[name])
        self._cache(key, found)
        return found

    def _cache(self, key: tuple[str, int, int], found: Column) -> None:
        self._cached[key] = found
        while sum(one.nbytes for one in self._cached.values()) > CACHED_BYTES:
            self._cached.popitem(last=False)

    def keep(self, names: Sequence[str], low: int, high: int) -> None:
        """Read these rows of some columns in one go, for `column`, where they can all be kept."""
        asked = [name for name in names if (name, low, high) not in self._cached]
        if not asked or low >= high or len(names) * (high - low) * 8 > CACHED_BYTES:
            return
        found = self._found(asked, self._where(low, high))
        for name in asked:
            self._cache((name, low, high), _filled(found.pop(name)))

    def values(self, names: Sequence[str], low: int, high: int) -> Iterator[tuple[str, Column]]:
        """Yield the numbers of the rows low ≤ i < high of each column, without the nulls.

        Many columns are read by one query, as many as take READ_BYTES, and the rows alone in
        which one of them has a number: they are put together by how many they have.
        """
        if low >= high:
            yield from ((name, np.empty(0)) for name in names)
            return
        where = self._where(low, high)
        alike: dict[int, list[str]] = {}
        for name in names:
            alike.setdefault(self._nulls.get(name, 0), []).append(name)
        for nulls, columns in alike.items():
            share = max(LEAST_SHARE, 1 - nulls / len(self.t))
            most = max(1, int(READ_BYTES / 8 / (share * (high - low))))
            for first in range(0, len(columns), most):
                some = columns[first : first + most]
                any_of = f"coalesce({', '.join(map(quoted, some))}) IS NOT NULL"
                found = self._found(some, f"{where} AND {any_of}" if nulls else where)
                while found:
                    name, column = found.popitem()
                    yield name, _numbers(column)

    @cached_property
    def _nulls(self) -> dict[str, int]:
        """How many nulls each column has, by the metadata of its row groups."""
        found = self._rows(
            "SELECT path_in_schema, sum(stats_null_count)::BIGINT FROM "  # noqa: S608 - quoted
            f"parquet_metadata({self._from}) GROUP BY 1"
        )
        return {str(name): int(nulls or 0) for name, nulls in found}

    @staticmethod
    def _where(low: int, high: int) -> str:
        """Choose rows; only the row groups that hold them are read."""
        return f"{ROW} BETWEEN {low} AND {high - 1}"

    def iter_events(self) -> Iterator[AnyEvent]:
        """Yield every event in its order, samples too."""
        columns = ", ".join(quoted(name) for name in ("t", "at", *self.names))
        done = 0
        rest = iter(zip(self.before, self.events, strict=True))
        upto, event = next(rest, (-1, None))
        try:
            found = self._con.execute(f"SELECT {columns} FROM read_parquet({self._from})")  # noqa: S608
            while rows := found.fetchmany(BATCH):
                for t, at, *values in rows:
                    while event is not None and upto <= done:
                        yield event
                        upto, event = next(rest, (-1, None))
                    yield Sample(at=at or 0.0, t=t, v=values)
                    done += 1
        except self._fault as error:
            raise self._damage(error) from None
        while event is not None:
            yield event
            upto, event = next(rest, (-1, None))

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()
