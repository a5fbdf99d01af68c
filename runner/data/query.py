"""One SQL query over every run of every folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.data import index, rows, tables
from runner.errors import RunnerError, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

_REMOTE: Final = re.compile(r"(?i)['\"](https?|s3|gcs|hf)://")
_SAMPLES: Final = re.compile(r"(?i)\bsamples\b")


@dataclass(frozen=True)
class Result:
    """What a query gave."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    unread: tuple[str, ...]
    """Runs that could not be read, each with the reason."""


def connection(
    sql: str, roots: Sequence[Path], cache: Path
) -> tuple[duckdb.DuckDBPyConnection, tuple[str, ...]]:
    """Open the index of `roots`, with samples where the query names them."""
    missing = [str(root) for root in roots if not root.is_dir()]
    if missing:
        raise SpecError(
            f"no folder of runs: {', '.join(missing)}", fix="name one with --reports FOLDER"
        )
    con, unread = index.open_index(roots, cache)
    if _SAMPLES.search(sql):
        con.execute(f"CREATE TEMP TABLE samples ({tables.SAMPLES.ddl})")
        for (path,) in con.execute("SELECT path FROM runs").fetchall():
            index.insert(con, tables.SAMPLES, rows.samples_of(Path(path)))
    if _REMOTE.search(sql):
        _load_httpfs(con)
    return con, tuple(unread)


def _load_httpfs(con: duckdb.DuckDBPyConnection) -> None:
    """Load DuckDB's way to files behind HTTP or in an object store, from its package."""
    from importlib.util import find_spec

    spec = find_spec("duckdb_ext")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise RunnerError(
            "files behind HTTP need DuckDB's httpfs extension, which is not installed",
            fix="pip install 'runner-experiments[remote]'",
        )
    con.execute("SET extension_directory = ?", [str(Path(places[0]) / "extensions")])
    con.execute("LOAD httpfs")


def query(sql: str, roots: Sequence[Path], cache: Path, values: Sequence[object] = ()) -> Result:
    """Answer one query, `values` in place of its `?`; SpecError says what is wrong with it."""
    import duckdb

    con, unread = connection(sql, roots, cache)
    try:
        answer = con.execute(sql, list(values))
        # DuckDB gives None for a query without a statement
        if answer is None or answer.description is None:
            raise SpecError("the query gives no rows", fix="begin it with select")
        names = tuple(column[0] for column in answer.description)
        return Result(names, tuple(answer.fetchall()), unread)
    except duckdb.Error as error:
        raise SpecError(
            f"query: {error}",
            fix="begin with select; views: "
            f"{', '.join(table.name for table in tables.ALL)}; "
            "columns: runner query --columns",
        ) from error
    finally:
        con.close()


def write_parquet(sql: str, roots: Sequence[Path], cache: Path, out: Path) -> tuple[str, ...]:
    """Write the rows of a query as a Parquet file; give the runs that could not be read."""
    import duckdb

    con, unread = connection(sql, roots, cache)
    try:
        con.sql(sql).write_parquet(str(out), compression="zstd")
    except duckdb.Error as error:
        raise RunnerError(f"query: {error}", fix="runner query --columns") from error
    finally:
        con.close()
    return unread
