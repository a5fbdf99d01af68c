"""`runner history EXP`: a metric over runs, and where it changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console, query
from runner.errors import RunnerError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runner.data.history import Series

FORMATS = ("text", "svg", "json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("experiment", metavar="EXP", help="name of an experiment, or its spec")
    parser.add_argument("--metric", metavar="M", help="one metric (default: all)")
    parser.add_argument("--to", choices=FORMATS, default="text", help="default: text")
    parser.add_argument("-o", "--out", type=Path, help="file to write (default: stdout)")
    parser.add_argument(
        "--fail-on-change", action="store_true",
        help="exit 1 where the newest run begins or continues a changed level",
    )  # fmt: skip
    query.add_reports(parser)


def run(args: argparse.Namespace) -> int:
    """Write the history; exit 1 if asked to where the last change is not yet accepted."""
    from runner.data.history import histories
    from runner.data.load import cache_dir

    all_series = histories(
        _name(args.experiment), query.roots(args), cache_dir(), metric=args.metric
    )
    text = _written(args.to, all_series)
    if args.out is None:
        console.out(text)
    else:
        try:
            args.out.write_text(text + "\n", encoding="utf-8", newline="\n")
        except OSError as error:
            raise RunnerError(f"cannot write {args.out}: {error.strerror or error}") from error
        console.out(str(args.out))
    changed = [series for series in all_series if series.changes]
    if args.fail_on_change and changed:
        console.say(f"changed: {', '.join(series.name for series in changed)}")
        return 1
    return 0


def _name(given: str) -> str:
    """Give the experiment's name: what is said, or what the spec of that path says."""
    path = Path(given)
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return given
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RunnerError(f"cannot read {path}: {error}", fix=f"runner validate {path}") from error
    return str(data.get("name", given)) if isinstance(data, dict) else given


def _written(to: str, all_series: Sequence[Series]) -> str:
    if to == "json":
        return json.dumps([asdict(series) for series in all_series], ensure_ascii=False, indent=1)
    if to == "svg":
        from runner.report.figures import history

        return history.draw(all_series).decode()
    return "\n\n".join(_text(series) for series in all_series)


def _text(series: Series) -> str:
    from tabulate import tabulate

    from runner.report.figures.history import shown

    changes = {change.at: change for change in series.changes}
    rows = []
    for index, point in enumerate(series.points):
        change = changes.get(index)
        note = "; ".join(point.changed)
        if change is not None:
            ratio = f"{change.ratio:.3g} ×" if change.ratio is not None else "from 0"
            note = f"changed: {ratio}, p = {change.p:.2g}" + (f"; {note}" if note else "")
        interval = (
            f"{shown(point.low, series.unit)} … {shown(point.high, series.unit)}"
            if point.low is not None and point.high is not None
            else ""
        )
        rows.append([point.run, point.commit[:9], shown(point.estimate, series.unit), interval,
                     str(point.n), note])  # fmt: skip
    table = tabulate(
        rows, headers=["run", "commit", "estimate", "interval", "n", "what changed"],
        disable_numparse=True,
    )  # fmt: skip
    few = len(series.points) < FEWEST
    end = f"\n{len(series.points)} runs: a change can be told from {FEWEST} on" if few else ""
    return f"{series.name}\n{table}{end}"


FEWEST = 8
"""Runs from which a step in the middle can be told from chance at 5 %."""
