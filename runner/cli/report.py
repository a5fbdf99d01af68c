"""`runner report RUN`: from the record alone, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import Loaded
    from runner.store.record import RunFolder


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="folder, run-id or experiment")
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument(
        "--with", dest="spec", metavar="EXP",
        help="judge with this spec's claims, from now on; the report says so where they differ",
    )  # fmt: skip
    parser.set_defaults(extra_vars=[], host=None, inventory=None)


def run(args: argparse.Namespace) -> int:
    """Rebuild analysis and report of each run."""
    from runner.apply.judged import judged
    from runner.report.pages import rebuild
    from runner.store.experiment import of_record
    from runner.store.runs import find

    for which in args.runs:
        folder = find(common.reports_dir(args), which)
        if args.spec:
            judge_with(folder, common.read_spec(args, args.spec)[0])
        report = rebuild.write(folder, judged(folder, of_record(folder)))
        console.out(str(report))
    return 0


def judge_with(folder: RunFolder, loaded: Loaded) -> None:
    """Note the claims in the record, so that every later report is judged with the same."""
    import hashlib

    from runner.apply.ledger import differences
    from runner.records.manifest import JudgedWith
    from runner.spec.expand import claims_hash
    from runner.store.experiment import experiment_of
    from runner.store.record import PRINTED

    changed, _ = differences(folder.spec, loaded.experiment)
    other = experiment_of(folder).report != loaded.experiment.report
    judged = JudgedWith(
        hashlib.sha256(loaded.text.encode()).hexdigest(),
        claims_hash(loaded.experiment),
        changed,
        loaded.expanded.get("claims", []),
        loaded.expanded.get("metrics", {}),
        PRINTED,
        loaded.expanded.get("report"),
    )
    folder.update(judged_with=judged if changed or other else None)
