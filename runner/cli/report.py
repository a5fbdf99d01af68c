"""`runner report RUN`: from the record alone, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="folder, run-id or experiment")
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")


def run(args: argparse.Namespace) -> int:
    """Rebuild analysis and report of each run."""
    from runner.apply.analyse import analyse, complete, of_record  # noqa: PLC0415 - start-up cost
    from runner.report import rebuild  # noqa: PLC0415
    from runner.store.record import find  # noqa: PLC0415

    for which in args.runs:
        folder = find(common.reports_dir(args), which)
        if complete(folder):
            made = rebuild.write(folder, analyse(folder, of_record(folder)))
        else:
            # git keeps the analysis of every run, not the largest events
            made = rebuild.rebuild(folder)
        console.out(str(made))
    return 0
