"""`runner query SQL`: one question to every run of every folder."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console
from runner.errors import RunnerError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

FORMATS = ("table", "csv", "json", "parquet")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("sql", metavar="SQL", nargs="?", help="a query: select … from steps …")
    parser.add_argument("--to", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("-o", "--out", type=Path, help="file to write (default: stdout)")
    parser.add_argument("--columns", action="store_true", help="list every view and its columns")
    add_reports(parser)


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Add where the runs are; more than one folder may be named."""
    parser.add_argument(
        "--reports", type=Path, action="append", metavar="FOLDER",
        help="folder of runs, may be given several times (default: reports)",
    )  # fmt: skip


def roots(args: argparse.Namespace) -> list[Path]:
    """Give the folders of runs: those that are named, or the usual one."""
    chosen: list[Path] = args.reports or []
    if chosen:
        return chosen
    args.reports = None
    return [common.reports_dir(args)]


def run(args: argparse.Namespace) -> int:
    """Answer, in the format asked for."""
    from runner.data import query, tables
    from runner.data.load import cache_dir

    if args.columns:
        for table in tables.ALL:
            console.out(f"{table.name}: {table.doc}")
            for column in table.columns:
                console.out(f"  {column.name:12} {column.type:24} {column.doc}")
        return 0
    if not args.sql:
        raise SpecError("a query is missing", fix="runner query 'select * from runs'")
    if args.to == "parquet":
        if args.out is None:
            raise SpecError("parquet is not text", fix="name a file with -o")
        tell(query.write_parquet(args.sql, roots(args), cache_dir(), args.out))
        console.out(str(args.out))
        return 0
    result = query.query(args.sql, roots(args), cache_dir())
    tell(result.unread)
    text = written(args.to, result.columns, result.rows)
    if args.out is None:
        console.out(text)
        return 0
    try:
        args.out.write_text(text + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunnerError(f"cannot write {args.out}: {error.strerror or error}") from error
    console.out(str(args.out))
    return 0


def tell(unread: Sequence[str]) -> None:
    """Name the runs that are left out: a damaged one must not be missing without a word."""
    for line in unread:
        console.say(f"left out: {line}")


def written(to: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Give the rows as text, without a newline at the end; what is absent is empty or null."""
    if to == "json":
        objects = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        return json.dumps(objects, ensure_ascii=False, indent=1)
    if to == "csv":
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if x is None else _cell(x) for x in row] for row in rows])
        return stream.getvalue().rstrip("\n")
    from tabulate import tabulate

    body = [["" if value is None else _cell(value) for value in row] for row in rows]
    return tabulate(body, headers=list(columns), disable_numparse=True)


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _cell(value: object) -> str:
    """One cell as text: what came from a host has no control characters left."""
    if isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, datetime):
        text = value.isoformat(" ", "seconds")
    elif isinstance(value, dict | list):
        text = json.dumps(_plain(value), ensure_ascii=False)
    else:
        text = str(value)
    return "".join(char if char.isprintable() else " " for char in text)
