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
    from collections.abc import Iterable, Iterator

    from runner.analysis.model import Analysis
    from runner.report.exports.tables import Row
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder

FORMATS = ("csv", "parquet", "openmetrics", "benchfmt", "ro-crate")
WHAT = ("values", "steps", "samples")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", metavar="RUN", help="folder, run-id or experiment")
    parser.add_argument("--to", choices=FORMATS, required=True)
    parser.add_argument(
        "--what", choices=WHAT, default="values",
        help="of csv and parquet: metrics by repetition, every number of every step, or samples",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out", type=Path,
        help="file to write (default: stdout; of ro-crate EXPERIMENT-RUN.crate.zip)",
    )  # fmt: skip
    parser.add_argument(
        "--spec", type=Path, help="of ro-crate: the spec, where it is not at its place in git"
    )
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")


def run(args: argparse.Namespace) -> int:
    """Write the run in the format asked for."""
    from runner.apply.judged import judged
    from runner.report.exports import benchfmt, tables
    from runner.store.experiment import of_record
    from runner.store.runs import find

    folder = find(common.reports_dir(args), args.run)
    experiment = of_record(folder)
    analysis = judged(folder, experiment)
    out: Path | None = args.out
    if args.to == "ro-crate":
        out = out or Path(f"{folder.experiment}-{folder.id}.crate.zip")
        crate(folder, experiment, analysis, args.spec, out)
        console.out(str(out))
        return 0
    metrics = experiment.metrics
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
    else:
        at = folder.manifest.ended_at or folder.manifest.started_at or 0.0
        text = tables.openmetrics(analysis, metrics, folder.experiment, folder.id, at)
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
    table_rows = list(table)
    names = list(dict.fromkeys(name for row in table_rows for name in row))
    # a column has one type: of numbers and texts in one, all become texts
    columns: dict[str, list[Any]] = {}
    for name in names:
        column = [row.get(name) for row in table_rows]
        mixed = any(isinstance(x, str) for x in column) and not all(
            isinstance(x, str) or x is None for x in column
        )
        columns[name] = [None if x is None else str(x) for x in column] if mixed else column
    pq.write_table(pa.table(columns), out)
    console.out(str(out))


def crate(
    folder: RunFolder, experiment: Experiment, analysis: Analysis, spec: Path | None, out: Path
) -> None:
    """Write the run as one file: spec, sources and record, described as an RO-Crate.

    What is not in git (events over the size rule) is left out. Where the spec is no longer as it
    was run, the record's own copy is taken and no sources; that is said.
    """
    from runner.report.exports import crate as described
    from runner.spec.expand import expand
    from runner.store import bundle
    from runner.store.files import sha256_of
    from runner.store.spec_file import spec_of

    files: dict[str, Path] = {}
    spec_file = spec or spec_of(folder, Path.cwd())
    if spec_file is None:
        console.say("sources are left out: the spec is not here as it was run (--spec FILE)")
        files[f"{bundle.EXPERIMENT}/{Path(folder.manifest.spec.path).name}"] = (
            folder.path / "spec.yaml"
        )
    else:
        base = spec_file.resolve().parent
        for path in bundle.sources(spec_file, texts(expand(experiment))):
            files[f"{bundle.EXPERIMENT}/{path.relative_to(base).as_posix()}"] = path
    for path in bundle.record_files(folder.path):
        files[f"{bundle.RUN}/{path.relative_to(folder.path).as_posix()}"] = path
    parts = [
        described.Part(
            name, path.stat().st_size, sha256_of(path), name.startswith(f"{bundle.EXPERIMENT}/")
        )
        for name, path in files.items()
    ]
    source = experiment.source
    about = described.About(
        title=experiment.title or folder.experiment,
        description=experiment.description,
        source_title=source.title if source else "",
        source_url=(source.url if source else None) or "",
    )
    claims = [(claim.id, claim.quote, claim.verdict) for claim in analysis.claims]
    text = described.metadata(folder.manifest, about, parts, claims)
    at = folder.manifest.ended_at or folder.manifest.started_at or 0.0
    bundle.write(out, files, {described.NAME: text}, at)


def texts(value: object) -> Iterator[str]:
    """Give every text of plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
