"""`runner site`: reports/ as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console
from runner.errors import RecordError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("site"), help="folder to write (default: site)"
    )
    parser.add_argument(
        "--samples", type=int, default=1, metavar="N",
        help="newest runs of each experiment with every sampled source (default: 1)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write the pages and print the index's path."""
    from runner.report.pages.site import site

    reports = common.reports_dir(args)
    if not reports.is_dir():
        raise RecordError(f"there is no folder {reports}", fix="name it with --reports")
    try:
        pages = site(reports, args.out, samples=max(0, args.samples))
    except OSError as error:
        raise RecordError(f"cannot write {args.out}: {error.strerror or error}") from error
    console.say(f"{len(pages)} pages")
    console.out(str(pages[-1]))
    return 0
