"""Lines of a trial to columns, one row group after the other, also while the trial goes on.

Each row group is a Parquet file for itself until the trial has ended: its samples read as doubles,
whole numbers written as integers. Then all are joined, page by page. So what is left to do at
the end is the last row group, however long the trial was, and memory is that of one of them.
A column that was whole for a while and is not any more makes the groups before be written again.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from runner.records.events import AnyEvent, EventError, decode
from runner.records.host_events import End
from runner.records.trial_events import Columns, FetchedPart, Sample
from runner.store import files, parquet
from runner.store.columns import FORMAT, GROUP, ROW, SUFFIX, NotPackedError, connect, quoted, text

if TYPE_CHECKING:
    from collections.abc import Iterator

REST_BYTES: Final = 16_000_000
"""What a trial's other events may be, for all of them to be in the metadata."""
_SAMPLE: Final = b'{"event":"sample"'
_WHOLE: Final = 2**53
_LENGTH: Final = "runner.values"
"""A column in between: how many values a sample has."""
_CODED: Final = (
    f"(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE {GROUP}, "
    # whole numbers of few kinds are smaller as differences, too, and are so in half the time
    "DICTIONARY_SIZE_LIMIT 1)"
)


class Packing:
    """The packing of one trial's lines, beside them."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._target = source.with_suffix(SUFFIX)
        self._heard = 0
        self._given_up = False
        self._temporaries: list[Path] = []
        self._begin()

    def _begin(self) -> None:
        self._at = 0
        self._rest: list[bytes] = []
        self._before: list[int] = []
        self._size = 0
        self._last: AnyEvent | None = None
        self._names: tuple[str, ...] = ()
        self._count = 0
        self._rows: IO[bytes] | None = None
        self._waiting = 0
        self._parts: list[Path] = []
        self._whole: list[tuple[bool, ...]] = []

    # -- while the trial goes on -----------------------------------------------------------

    def heard(self, event: AnyEvent) -> None:
        """Pack a row group as soon as its samples are all in the file; nothing fails by that."""
        self._heard += isinstance(event, Sample)
        if self._heard < GROUP or self._given_up:
            return
        self._heard = 0
        try:
            self._sort(ended=False)
        except (NotPackedError, OSError):
            self._given_up = True
            self.close()

    def close(self) -> None:
        """Leave nothing but the lines."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None
        for left in self._temporaries:
            left.unlink(missing_ok=True)

    # -- when it has ended -----------------------------------------------------------------

    def finish(self) -> None:
        """Write the file of columns, whole or not at all; the lines stay as they are.

        NotPackedError where these are to stay lines, with the reason.
        """
        try:
            self._check()
            self._sort(ended=True)
            if not isinstance(self._last, End):
                raise NotPackedError("it has not ended")
            if not self._count:
                raise NotPackedError("nothing was sampled")
            self._pack()
            self._join()
        except (parquet.FooterError, FileNotFoundError) as error:
            raise NotPackedError(f"its row groups: {error}") from None
        finally:
            self.close()
        files.sync_folder(self._target.parent)

    def _check(self) -> None:
        """Begin anew where what was packed ahead is not there any more, or was given up."""
        needed = [*self._parts, *([Path(self._rows.name)] if self._rows else [])]
        if self._given_up or not all(path.exists() for path in needed):
            self.close()
            self._begin()

    def _sort(self, *, ended: bool) -> None:
        """Go on in the lines to their end, samples apart from the rest."""
        with self._source.open("rb") as lines:
            lines.seek(self._at)
            for line in lines:
                if not (ended or line.endswith(b"\n")):
                    return
                self._at += len(line)
                if line.startswith(_SAMPLE):
                    self._sample(line)
                else:
                    self._other(line)

    def _sample(self, line: bytes) -> None:
        if not self._names:
            raise NotPackedError("its samples are not in order")
        if self._rows is None:
            self._rows = self._temporary().open("wb")
        self._rows.write(line)
        self._count += 1
        self._waiting += 1
        if self._waiting == GROUP:
            self._pack()

    def _other(self, line: bytes) -> None:
        try:
            event = decode(line)
        except EventError as error:
            raise NotPackedError(f"a line is not an event: {error}") from None
        if isinstance(event, Columns):
            if self._names and event.names != self._names:
                raise NotPackedError("its columns change")
            self._names = event.names
            every = (*event.names, "t", "at", _LENGTH, ROW)
            if len({name.lower() for name in every}) != len(every):
                raise NotPackedError("two of its columns have one name")
        elif isinstance(event, FetchedPart):
            raise NotPackedError("pages were fetched as bytes")
        elif isinstance(event, Sample):
            raise NotPackedError("its samples are not in order")
        self._last = event
        self._rest.append(line)
        self._before.append(self._count)
        self._size += len(line)
        if self._size > REST_BYTES:
            raise NotPackedError("its other events are too large")

    def _temporary(self) -> Path:
        name = f".{self._target.name}.{os.getpid()}.{len(self._temporaries)}.tmp"
        self._temporaries.append(self._target.with_name(name))
        return self._temporaries[-1]

    # -- by DuckDB -------------------------------------------------------------------------

    def _pack(self) -> None:
        """Make a row group of the samples that wait."""
        if self._rows is None:
            return
        self._rows.close()
        out = self._temporary()
        values = ", ".join(f"v[{i}] AS {quoted(name)}" for i, name in enumerate(self._names, 1))
        rows = (
            f'SELECT t, "at", len(v) AS {quoted(_LENGTH)}, {values} FROM '  # noqa: S608 - quoted
            f"read_json({text(self._rows.name)}, format='newline_delimited', "
            "maximum_object_size=2097152, "
            "columns={\"at\": 'DOUBLE', t: 'DOUBLE', v: 'DOUBLE[]'})"
        )
        n = quoted(_LENGTH)
        # whole, or nothing at all
        tests = ", ".join(
            f"coalesce(bool_and({x} = trunc({x}) AND abs({x}) < {_WHOLE}), true)"
            for x in map(quoted, self._names)
        )
        with _fault():
            con = connect()
            try:
                con.execute(f"CREATE TEMP TABLE one AS {rows}")
                asked = f"SELECT count(*), min({n}), max({n}), count(t), {tests} FROM one"  # noqa: S608
                count, least, most, timed, *whole = con.execute(asked).fetchone() or (0, 0, 0, 0)
                width = len(self._names)
                if (count, least, most, timed) != (self._waiting, width, width, self._waiting):
                    raise NotPackedError("a sample lacks a value for a column")
                con.execute(f"COPY ({self._select(tuple(whole), 'one')}) TO {text(out)} {_CODED}")
            finally:
                con.close()
        Path(self._rows.name).unlink()
        self._rows, self._waiting = None, 0
        self._parts.append(out)
        self._whole.append(tuple(whole))

    def _select(self, whole: tuple[bool, ...], source: str) -> str:
        columns = ", ".join(
            f"CAST({quoted(name)} AS {'BIGINT' if is_whole else 'DOUBLE'}) AS {quoted(name)}"
            for name, is_whole in zip(self._names, whole, strict=True)
        )
        return f'SELECT t, "at", {columns} FROM {source}'  # noqa: S608 - quoted

    def _join(self) -> None:
        """Make one file of all row groups, each column of one type in all of them."""
        whole = tuple(map(all, zip(*self._whole, strict=True)))
        parts = [
            part if own == whole else self._widened(part, whole)
            for part, own in zip(self._parts, self._whole, strict=True)
        ]
        out = self._temporary()
        with out.open("wb") as stream:
            parquet.join(parts, stream, {
                "runner.format": FORMAT,
                "runner.rest": base64.b64encode(zlib.compress(b"".join(self._rest))).decode(),
                "runner.before": json.dumps(self._before, separators=(",", ":")),
            })  # fmt: skip
            stream.flush()
            os.fsync(stream.fileno())
        out.replace(self._target)

    def _widened(self, part: Path, whole: tuple[bool, ...]) -> Path:
        out = self._temporary()
        with _fault():
            con = connect()
            try:
                rows = self._select(whole, f"read_parquet({text(part)})")
                con.execute(f"COPY ({rows}) TO {text(out)} {_CODED}")
            finally:
                con.close()
        return out


@contextlib.contextmanager
def _fault() -> Iterator[None]:
    """Say of DuckDB's errors that the lines stay."""
    try:
        import duckdb
    except ImportError:
        raise NotPackedError("DuckDB is not installed") from None
    try:
        yield
    except duckdb.Error as error:
        raise NotPackedError(f"DuckDB: {str(error).splitlines()[0]}") from None
