"""`runner migrate RUN…`: long trials of older records as columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console

if TYPE_CHECKING:
    import argparse

    from runner.store.record import RunFolder


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="run folder, run-id, or an experiment's newest run"
    )
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")


def run(args: argparse.Namespace) -> int:
    """Pack each run; a trial that stays lines of JSON is named with the reason."""
    from runner.store.runs import find

    # all are found before the first is touched
    for folder in [find(common.reports_dir(args), which) for which in args.runs]:
        with folder:
            before = _bytes(folder)
            packed = folder.migrate()
            if packed:
                trials = "1 trial" if len(packed) == 1 else f"{len(packed)} trials"
                console.out(
                    f"{folder.id}: {trials} packed, "
                    f"{before / 1e6:.1f} MB → {_bytes(folder) / 1e6:.1f} MB; "
                    f"links to them: runner report {folder.id}"
                )
            else:
                console.out(f"{folder.id}: nothing to pack")
            for trial, entry in folder.manifest.events.items():
                if entry.why:
                    console.out(f"  {trial} stays JSON: {entry.why}")
    return 0


def _bytes(folder: RunFolder) -> int:
    return sum(entry.bytes for entry in folder.manifest.events.values())
