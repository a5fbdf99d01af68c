"""`runner.load("reports")`: every run below a folder, for Python, notebooks and plots."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.data import query
from runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import polars as pl
    import pyarrow as pa


def cache_dir() -> Path:
    """Folder of indexes: $XDG_CACHE_HOME/runner/data, or ~/.cache/runner/data."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "runner" / "data"


@dataclass(frozen=True)
class Frame:
    """The rows of one query, read when asked for and in the form asked for.

    `frame["name"]` is a column as numpy: numbers as float64 with NaN where a value
    is absent, everything else as objects.
    """

    sql: str
    roots: tuple[Path, ...]

    @contextmanager
    def _relation(self) -> Iterator[duckdb.DuckDBPyRelation]:
        con, _ = query.connection(self.sql, self.roots, cache_dir())
        try:
            yield con.sql(self.sql)
        finally:
            con.close()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        with self._relation() as relation:
            return tuple(relation.columns)

    def to_numpy(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.object_]]:
        """Give every column by its name, each one-dimensional and of the same length."""
        import numpy as np

        numeric = {"DOUBLE", "FLOAT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "SMALLINT"}
        with self._relation() as relation:
            names, types = relation.columns, relation.types
            rows = relation.fetchall()
        return {
            name: np.array(
                [(np.nan if row[i] is None else row[i]) for row in rows], dtype=np.float64
            )
            if str(kind) in numeric
            else np.array([row[i] for row in rows], dtype=object)
            for i, (name, kind) in enumerate(zip(names, types, strict=True))
        }

    def __getitem__(self, name: str) -> npt.NDArray[np.float64] | npt.NDArray[np.object_]:
        """Give one column as numpy; KeyError names the columns that there are."""
        columns = self.to_numpy()
        if name not in columns:
            raise KeyError(f"{name!r}: one of {', '.join(columns)}")
        return columns[name]

    def __len__(self) -> int:
        """Count the rows."""
        with self._relation() as relation:
            return len(relation)

    def where(self, condition: str) -> Frame:
        """Narrow to the rows for which an SQL condition is true."""
        return Frame(f"SELECT * FROM ({self.sql}) WHERE {condition}", self.roots)  # noqa: S608 - the caller's own SQL

    def rows(self) -> list[dict[str, object]]:
        """Give the rows as dictionaries, in the query's order."""
        with self._relation() as relation:
            names = relation.columns
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

    def to_arrow(self) -> pa.Table:
        """Give an Arrow table; needs the extra `arrow`."""
        _need("pyarrow", "arrow")
        with self._relation() as relation:
            return relation.fetch_arrow_table()

    def to_pandas(self) -> pd.DataFrame:
        """Give a pandas frame; needs the extra `pandas`."""
        _need("pandas", "pandas")
        with self._relation() as relation:
            return relation.df()

    def to_polars(self) -> pl.DataFrame:
        """Give a polars frame; needs the extra `polars`."""
        _need("polars", "polars")
        _need("pyarrow", "polars")
        with self._relation() as relation:
            return relation.pl()


@dataclass(frozen=True)
class Runs:
    """Every run below some folders; each table is a Frame, the columns are in docs/query.md."""

    roots: tuple[Path, ...]

    def query(self, sql: str) -> Frame:
        """Ask all tables at once; see `runner query`."""
        return Frame(sql, self.roots)

    def _table(self, name: str) -> Frame:
        return Frame(f"SELECT * FROM {name}", self.roots)  # noqa: S608 - a name of our own

    @property
    def runs(self) -> Frame:
        """One row for each run."""
        return self._table("runs")

    @property
    def trials(self) -> Frame:
        """One row for each attempt at a trial."""
        return self._table("trials")

    @property
    def steps(self) -> Frame:
        """One row for each step, its numbers in one map."""
        return self._table("steps")

    @property
    def estimates(self) -> Frame:
        """One row for each metric, treatment and step."""
        return self._table("estimates")

    @property
    def claims(self) -> Frame:
        """One row for each published number."""
        return self._table("claims")

    @property
    def facts(self) -> Frame:
        """One row for each fact of each host."""
        return self._table("facts")

    @property
    def changes(self) -> Frame:
        """One row for each value converged or restored."""
        return self._table("changes")

    @property
    def samples(self) -> Frame:
        """One row for each sampled value; narrow it by `where("run = …")`."""
        return self._table("samples")

    def __len__(self) -> int:
        """Count the runs."""
        return len(self.runs)


def load(folder: str | Path | Sequence[str | Path] = "reports") -> Runs:
    """Open every run below one folder or several; RunnerError where there is none."""
    given = [folder] if isinstance(folder, str | Path) else list(folder)
    roots = tuple(Path(one) for one in given)
    missing = [str(root) for root in roots if not root.is_dir()]
    if missing:
        raise RunnerError(f"no folder of runs: {', '.join(missing)}", fix="name one that exists")
    return Runs(roots)


def _need(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise RunnerError(
            f"this needs {module}, which is not installed",
            fix=f"pip install 'runner-experiments[{extra}]'",
        )
