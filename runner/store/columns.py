"""Samples of a finished trial by column: one Parquet file, which holds its other events as well.

    events/<trial>.parquet   t, at, then a column for each that was sampled: whole numbers as
                             64-bit integers, delta-coded; all else as doubles; null as null
      its metadata           runner.format, runner.rest (the other lines as they were, zlib in
                             base64), runner.before (how many samples stand before each of them)

Written through DuckDB, which is imported where such a file is made or read. Numbers are doubles,
as every reader takes them: an integer of 2^53 or more keeps the 53 bits that a double has.
What does not fit (columns that change within a trial, pages fetched as bytes, a surrogate in
a line) stays lines of JSON, and is told why.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from runner.errors import RecordError
from runner.records.events import AnyEvent, EventError, decode
from runner.records.host_events import End
from runner.records.trial_events import Columns, FetchedPart, Sample
from runner.store import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

SUFFIX: Final = ".parquet"
FORMAT: Final = "samples/1"
LEAST_BYTES: Final = 4_000_000
"""A smaller spool is smaller as compressed lines: a Parquet file names each of its columns."""
REST_BYTES: Final = 16_000_000
"""What a trial's other events may be, for all of them to be in the metadata."""
MEMORY: Final = "256MB"
CACHED_BYTES: Final = 48_000_000
BATCH: Final = 2048
GROUP: Final = 40_960
"""Rows of a row group: what is read at least for one row of one column."""
_SAMPLE: Final = b'{"event":"sample"'
_WHOLE: Final = 2**53
_LENGTH: Final = "runner.values"
"""A column of the file in between: how many values a sample has."""


class NotPackedError(ValueError):
    """Why the events of a trial stay lines of JSON."""


def _connect() -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError:
        raise NotPackedError("DuckDB is not installed") from None
    con = duckdb.connect()
    # one thread reads rows in their order, and holds no more than a few of their groups
    con.execute(f"SET memory_limit='{MEMORY}'; SET threads=1; SET temp_directory=''")
    con.execute("SET preserve_insertion_order=false")
    return con


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def pack(source: Path, target: Path) -> None:
    """Write `target`, whole or not at all, of the lines in `source`, which stay as they are.

    NotPackedError where these are to stay lines, with the reason.
    """
    names, rest, before, count = _sorted(source)
    con = _connect()
    first = target.with_name(f".{target.name}.{os.getpid()}.1.tmp")
    second = target.with_name(f".{target.name}.{os.getpid()}.2.tmp")
    import duckdb

    try:
        _typed(con, source, first, names, count)
        _coded(con, first, second, names, {
            "runner.format": FORMAT,
            "runner.rest": base64.b64encode(zlib.compress(b"".join(rest))).decode(),
            "runner.before": json.dumps(before, separators=(",", ":")),
        })  # fmt: skip
        with second.open("rb") as stream:
            os.fsync(stream.fileno())
        second.replace(target)
    except duckdb.Error as error:
        raise NotPackedError(f"DuckDB: {str(error).splitlines()[0]}") from None
    finally:
        con.close()
        for left in (first, second):
            left.unlink(missing_ok=True)
    files.sync_folder(target.parent)


def _sorted(source: Path) -> tuple[tuple[str, ...], list[bytes], list[int], int]:
    """Give the columns, the lines that are not samples, the samples before each, and of all."""
    rest: list[bytes] = []
    before: list[int] = []
    count = size = 0
    with source.open("rb") as lines:
        for line in lines:
            if line.startswith(_SAMPLE):
                count += 1
                continue
            rest.append(line)
            before.append(count)
            size += len(line)
            if size > REST_BYTES:
                raise NotPackedError("its other events are too large")
    return _columns(rest, before, count), rest, before, count


def _columns(rest: list[bytes], before: list[int], count: int) -> tuple[str, ...]:
    """Give the columns that all samples have; NotPackedError where there are none such."""
    names: set[tuple[str, ...]] = set()
    last: AnyEvent | None = None
    for line, number in zip(rest, before, strict=True):
        try:
            last = decode(line)
        except EventError as error:
            raise NotPackedError(f"a line is not an event: {error}") from None
        if isinstance(last, Columns):
            names.add(last.names)
        elif isinstance(last, FetchedPart):
            raise NotPackedError("pages were fetched as bytes")
        if isinstance(last, Sample) or (number and not names):
            raise NotPackedError("its samples are not in order")
    if not isinstance(last, End):
        raise NotPackedError("it has not ended")
    if len(names) != 1 or not count:
        raise NotPackedError("its columns change" if names else "nothing was sampled")
    (columns,) = names
    if len({name.lower() for name in (*columns, "t", "at", _LENGTH)}) != len(columns) + 3:
        raise NotPackedError("two of its columns have one name")
    return columns


def _typed(
    con: duckdb.DuckDBPyConnection, source: Path, out: Path, names: tuple[str, ...], count: int
) -> None:
    """Read the samples as doubles; all of them, each with a value for every column."""
    values = ", ".join(f"v[{i}] AS {_quoted(name)}" for i, name in enumerate(names, 1))
    con.execute(
        f'COPY (SELECT t, "at", len(v) AS {_quoted(_LENGTH)}, {values} FROM '  # noqa: S608 - quoted
        f"read_json({_text(source)}, "
        "format='newline_delimited', maximum_object_size=2097152, columns={event: 'VARCHAR', "
        "\"at\": 'DOUBLE', t: 'DOUBLE', v: 'DOUBLE[]'}) WHERE event = 'sample') "
        f"TO {_text(out)} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {GROUP})"
    )
    n = _quoted(_LENGTH)
    seen = con.execute(
        f"SELECT count(*), min({n}), max({n}), count(t) FROM read_parquet({_text(out)})"  # noqa: S608
    ).fetchone()
    if seen != (count, len(names), len(names), count):
        raise NotPackedError("a sample lacks a value for a column")


def _coded(
    con: duckdb.DuckDBPyConnection, source: Path, out: Path, names: tuple[str, ...],
    metadata: dict[str, str],
) -> None:  # fmt: skip
    """Write whole numbers as integers, so that they are delta-coded."""
    tests = ", ".join(
        f"bool_and({_quoted(n)} = trunc({_quoted(n)}) AND abs({_quoted(n)}) < {_WHOLE})"
        for n in names
    )
    whole = con.execute(f"SELECT {tests} FROM read_parquet({_text(source)})").fetchone() or ()  # noqa: S608
    columns = ", ".join(
        f"CAST({_quoted(n)} AS BIGINT) AS {_quoted(n)}" if is_whole else _quoted(n)
        for n, is_whole in zip(names, whole, strict=True)
    )
    said = ", ".join(f"{_quoted(key)}: {_text(value)}" for key, value in metadata.items())
    con.execute(
        f'COPY (SELECT t, "at", {columns} FROM read_parquet({_text(source)})) TO {_text(out)} '  # noqa: S608
        f"(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE {GROUP}, "
        f"KV_METADATA {{{said}}})"
    )


class PackedSamples:
    """One such file, read by column."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cached: OrderedDict[tuple[str, int, int], Column] = OrderedDict()
        try:
            self._con = _connect()
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
        return _text(self.path)

    def _rows(self, sql: str) -> list[tuple[str, bytes]]:
        try:
            return self._con.execute(sql).fetchall()
        except self._fault as error:
            raise self._damage(error) from None

    def _damage(self, error: Exception) -> RecordError:
        said = str(error).splitlines()[0]
        return RecordError(f"cannot read {self.path}: {said}", fix="restore the file from git")

    def _numbers(self, name: str, where: str = "") -> Column:
        try:
            sql = f"SELECT {_quoted(name)} AS x FROM read_parquet({self._from}) {where}"  # noqa: S608
            found = self._con.execute(sql).fetchnumpy()["x"]
        except self._fault as error:
            raise self._damage(error) from None
        if isinstance(found, np.ma.MaskedArray):
            filled: Column = np.ma.filled(found.astype(np.float64), np.nan)
            return filled
        return np.asarray(found, dtype=np.float64)

    @cached_property
    def t(self) -> Column:
        """Seconds since the trial's start."""
        return self._numbers("t")

    @cached_property
    def at(self) -> Column:
        """Unix seconds, 0 where the host did not say."""
        return np.nan_to_num(self._numbers("at"), nan=0.0)

    @cached_property
    def _rising(self) -> bool:
        return bool(np.all(np.diff(self.t) > 0))

    def column(self, name: str, low: int, high: int) -> Column:
        """Give the rows low ≤ i < high of one column; those asked for last are kept."""
        if low >= high:
            return np.empty(0)
        key = (name, low, high)
        if key in self._cached:
            self._cached.move_to_end(key)
            return self._cached[key]
        if self._rising and (low, high) != (0, len(self.t)):
            # only the row groups that hold them are read
            first, last = float(self.t[low]), float(self.t[high - 1])
            found = self._numbers(name, f"WHERE t BETWEEN {first!r}::DOUBLE AND {last!r}::DOUBLE")
        else:
            found = self._numbers(name)[low:high]
        self._cached[key] = found
        while sum(one.nbytes for one in self._cached.values()) > CACHED_BYTES:
            self._cached.popitem(last=False)
        return found

    def iter_events(self) -> Iterator[AnyEvent]:
        """Yield every event in its order, samples too."""
        columns = ", ".join(_quoted(name) for name in ("t", "at", *self.names))
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
