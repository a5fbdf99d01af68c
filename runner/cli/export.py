"""`runner export RUN --to FORMAT`."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.cli import common, console
from runner.errors import RecordError, RunnerError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from runner.analysis.model import Analysis
    from runner.report.exports.tables import Row
    from runner.store.record import RunFolder

FORMATS = ("csv", "parquet", "openmetrics", "benchfmt", "ro-crate")
WHAT = ("values", "steps", "samples")
CRATE = "ro-crate-metadata.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", metavar="RUN", help="folder, run-id or experiment")
    parser.add_argument("--to", choices=FORMATS, required=True)
    parser.add_argument(
        "--what", choices=WHAT, default="values",
        help="of csv and parquet: metrics by repetition, every number of every step, or samples",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out", type=Path, help=f"file to write (default: stdout; {CRATE} in the run folder)"
    )
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")


def run(args: argparse.Namespace) -> int:
    """Write the run in the format asked for."""
    from runner.apply.judged import judged, of_record
    from runner.report.exports import benchfmt, tables
    from runner.store.runs import find

    folder = find(common.reports_dir(args), args.run)
    experiment = of_record(folder)
    analysis = judged(folder, experiment)
    metrics = experiment.metrics
    out: Path | None = args.out
    if args.to == "parquet":
        if out is None:
            raise SpecError("parquet is not text", fix="name a file with -o")
        parquet(rows(args.what, folder, analysis), out)
        return 0
    if args.to == "csv":
        text = tables.to_csv(rows(args.what, folder, analysis))
    elif args.to == "benchfmt":
        about = {"run": folder.id, "commit": folder.manifest.git.commit}
        config = {"experiment": folder.experiment}
        text = benchfmt.text(folder.experiment, analysis, metrics, config, about=about)
    elif args.to == "openmetrics":
        at = folder.manifest.ended_at or folder.manifest.started_at or 0.0
        text = tables.openmetrics(analysis, metrics, folder.experiment, folder.id, at)
    else:
        text = crate(folder, analysis)
        out = out or folder.path / CRATE
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return 0
    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RecordError(f"cannot write {out}: {error.strerror or error}") from error
    console.out(str(out))
    return 0


def rows(what: str, folder: RunFolder, analysis: Analysis) -> Iterable[Row]:
    """Give the rows of a table."""
    from runner.report.exports import tables

    if what == "values":
        return tables.values(analysis, folder.id)
    if what == "steps":
        return tables.steps(analysis, folder.id)
    return chain.from_iterable(
        tables.samples(trial, folder.id, folder.iter_events(trial), folder.facts_of(trial))
        for trial in folder.trials()
    )


def parquet(table: Iterable[Row], out: Path) -> None:
    """Write a Parquet file, where pyarrow is installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise RunnerError(
            "Parquet needs pyarrow, which is not installed",
            fix="pip install pyarrow, or --to csv",
        ) from None
    found = list(table)
    names = list(dict.fromkeys(name for row in found for name in row))
    # a column has one type: of numbers and texts in one, all become texts
    columns: dict[str, list[Any]] = {}
    for name in names:
        column = [row.get(name) for row in found]
        mixed = any(isinstance(x, str) for x in column) and not all(
            isinstance(x, str) or x is None for x in column
        )
        columns[name] = [None if x is None else str(x) for x in column] if mixed else column
    pq.write_table(pa.table(columns), out)
    console.out(str(out))


def crate(folder: RunFolder, analysis: Analysis) -> str:
    """Describe the run's folder; what is not in git is left out."""
    from runner.report.exports import tables
    from runner.store.keeping import RAW

    files = [
        (path.relative_to(folder.path).as_posix(), path.stat().st_size)
        for path in sorted(folder.path.rglob("*"))
        if path.is_file() and path.suffix not in {RAW, ".tmp"} and path.name != CRATE
    ]
    claims = [(claim.id, claim.quote, claim.verdict) for claim in analysis.claims]
    return tables.crate(folder.manifest, folder.spec, files, claims)
