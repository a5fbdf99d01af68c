"""An index over run folders: a DuckDB file that is only a cache and can be deleted.

A run is read again when its run.json or analysis.json has another size or time
of change. Two commands at once: the second works on an index in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.data import rows, tables
from runner.errors import RecordError, RunnerError
from runner.store.manifest_file import MANIFEST
from runner.store.record import ARTIFACTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    import duckdb

FORMAT: Final = 1
"""Raised when a table changes: an index of another format is made anew."""
BATCH: Final = 200
"""Runs whose rows go into the index at once."""


def _duckdb() -> ModuleType:
    try:
        import duckdb
    except ImportError:
        raise RunnerError(
            "tables over many runs need DuckDB, which is not installed",
            fix="pip install duckdb; single runs go on with `runner report` and `runner export`",
        ) from None
    return duckdb


def connect(path: Path) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Open the index's file; where it is locked or damaged one in memory, and False."""
    module = _duckdb()
    for last in (False, True):
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return module.connect(str(path)), True
        except (module.Error, OSError) as error:
            if last or "lock" in str(error).lower():
                break
            path.unlink(missing_ok=True)  # damaged: all that it holds can be made again
    return module.connect(":memory:"), False


def open_index(roots: Sequence[Path], cache: Path) -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    """Give a connection whose tables hold every run under `roots`, and what could not be read.

    What a query does to the tables stays in its connection: the file is opened to be read.
    """
    resolved = sorted(str(root.resolve()) for root in roots)
    name = hashlib.sha256("\0".join([str(FORMAT), *resolved]).encode()).hexdigest()[:16]
    file = cache / f"index-{name}.duckdb"
    con, kept = connect(file)
    con.execute("CREATE TABLE IF NOT EXISTS _seen (path VARCHAR, state VARCHAR)")
    for table in tables.TABLES:
        con.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({table.ddl})")
    known = dict(con.execute("SELECT path, state FROM _seen").fetchall())
    there = {path: state for root in roots for path, state in _states(root)}
    gone = [path for path, state in known.items() if there.get(path) != state]
    new = [path for path, state in there.items() if known.get(path) != state]
    unread: list[str] = []
    if gone:
        _forget(con, gone)
    for start in range(0, len(new), BATCH):
        unread += _add(con, {path: there[path] for path in new[start : start + BATCH]})
    if kept:
        con.close()
        con = _duckdb().connect(str(file), read_only=True)
    con.execute("SET TimeZone='UTC'")
    return con, unread


def _states(root: Path) -> Iterable[tuple[str, str]]:
    """Yield every run folder below, with what tells whether it has changed.

    `root` holds folders of experiments, is one of them, or is a run.
    """
    return _below(str(root.resolve()), 2)


def _below(folder: str, floors: int) -> Iterator[tuple[str, str]]:
    manifest = _stamp(f"{folder}/{MANIFEST}")
    if manifest is not None:
        yield folder, f"{manifest} {_stamp(f'{folder}/{ARTIFACTS}/analysis.json') or '-'}"
        return
    if not floors:
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for one in os.scandir(folder):
            if one.is_dir(follow_symlinks=False) and not one.name.startswith("."):
                yield from _below(one.path, floors - 1)


def _stamp(path: str) -> str | None:
    try:
        info = os.stat(path)  # noqa: PTH116 - thousands of them: half the time of Path.stat
    except OSError:
        return None
    return f"{info.st_size}:{info.st_mtime_ns}"


def _forget(con: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    con.execute("BEGIN")
    marks = "SELECT run FROM runs WHERE path IN (SELECT unnest(?))"
    for table in tables.TABLES:
        if table.name != "runs":
            con.execute(f"DELETE FROM {table.name} WHERE run IN ({marks})", [list(paths)])  # noqa: S608 - names of our own tables
    con.execute("DELETE FROM runs WHERE path IN (SELECT unnest(?))", [list(paths)])
    con.execute("DELETE FROM _seen WHERE path IN (SELECT unnest(?))", [list(paths)])
    con.execute("COMMIT")


def _add(con: duckdb.DuckDBPyConnection, runs: Mapping[str, str]) -> list[str]:
    """Read runs into the tables; give a line for each that cannot be read."""
    unread: list[str] = []
    by_table: dict[str, list[rows.Row]] = {table.name: [] for table in tables.TABLES}
    kept: list[str] = []
    for path in runs:
        try:
            read = rows.rows_of(Path(path))
        except RecordError as error:
            unread.append(f"{path}: {error.message}")  # and again at the next query
            continue
        kept.append(path)
        for name, read_rows in read.items():
            by_table[name] += read_rows
    con.execute("BEGIN")
    for table in tables.TABLES:
        if by_table[table.name]:
            insert(con, table, by_table[table.name])
    if kept:
        con.executemany("INSERT INTO _seen VALUES (?, ?)", [[path, runs[path]] for path in kept])
    con.execute("COMMIT")
    return unread


def insert(
    con: duckdb.DuckDBPyConnection, table: tables.Table, new_rows: Iterable[rows.Row]
) -> None:
    """Add rows to a table, by way of lines of JSON: DuckDB's fastest way in without Arrow."""
    types = ", ".join(f"'{column.name}': '{column.type}'" for column in table.columns)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for row in new_rows:
            file.write(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n")
        file.flush()
        con.execute(
            f"INSERT INTO {table.name} SELECT {names} FROM read_json(?, "  # noqa: S608 - as above
            f"format='newline_delimited', columns={{{types}}}, maximum_object_size=268435456)",
            [file.name],
        )
