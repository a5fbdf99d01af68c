"""`runner claims`: the ledger of every claim in experiments/."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse

    from runner.analysis.model import ClaimResult
    from runner.apply.ledger import Entry
    from runner.report.pages.ledger import Row

PAGE = "CLAIMS.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "specs", metavar="EXP", nargs="*", help="specs or folders of specs (default: experiments)"
    )
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--markdown", action="store_true", help=f"write {PAGE} into the folder of the reports"
    )
    parser.add_argument(
        "--check", action="store_true", help=f"change nothing; 1 where {PAGE} is out of date"
    )
    parser.set_defaults(extra_vars=[], host=None, inventory=None)


def run(args: argparse.Namespace) -> int:
    """Print or write the ledger; 3 where a spec is invalid, after all others."""
    from runner.apply.ledger import ledger as judged
    from runner.report.pages import ledger

    reports = common.reports_dir(args)
    rows: list[Row] = []
    code = 0
    for path in specs(args.specs):
        try:
            loaded, _ = common.read_spec(args, str(path))
        except SpecError as error:
            console.error(error.message, error.fix)
            code = error.exit_code
            continue
        if loaded.experiment.lint.only:
            continue  # its numbers are measured by other specs
        rows += rows_of(judged(loaded.experiment, path.as_posix(), reports), reports)
    page = reports / PAGE
    if args.check:
        held = page.is_file() and page.read_text(encoding="utf-8") == ledger.page(rows)
        console.say(f"{page} is {'up to date' if held else 'out of date'}")
        return code or (0 if held else 1)
    if args.markdown:
        reports.mkdir(parents=True, exist_ok=True)
        page.write_text(ledger.page(rows), encoding="utf-8", newline="\n")
        console.out(str(page))
    elif args.json:
        console.out(json.dumps([row.data() for row in rows], ensure_ascii=False, indent=1))
    else:
        for line in ledger.lines(rows):
            console.out(line)
    return code


def specs(named: list[str]) -> list[Path]:
    """Give the spec files that are named, or those of the folders that are and of theirs."""
    paths: list[Path] = []
    for name in named or ["experiments"]:
        path = Path(name)
        if not path.is_dir():
            paths.append(path)
            continue
        files = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
        paths += [file for file in files if "experiment/1" in file.read_text(encoding="utf-8")]
    if not paths:
        raise SpecError(f"no specs in {', '.join(named or ['experiments'])}", fix="name a folder")
    return paths


def rows_of(results: list[tuple[ClaimResult, Entry]], reports: Path) -> list[Row]:
    """Give the ledger's rows of one spec; links are relative to the reports' folder."""
    return [_row(claim, one, reports) for claim, one in results]


def _text(report: Path) -> str:
    return report.read_text(encoding="utf-8") if report.is_file() else ""


def _row(claim: ClaimResult, one: Entry, reports: Path) -> Row:
    from runner.report.pages.ledger import Row
    from runner.report.sections.claims import anchor
    from runner.report.sections.environment import host

    experiment, report = one.experiment, one.report
    source = experiment.source
    about = ""
    if source is not None:
        about = source.title + (f", section {source.section}" if source.section else "")
    return Row(
        experiment=experiment.name,
        spec=one.path,
        title=experiment.title,
        source=about,
        claim=claim,
        run=None if one.folder is None else one.folder.id,
        report=None if report is None else Path(os.path.relpath(report, reports)).as_posix(),
        shown=report is not None and f'id="{anchor(claim.id)}"' in _text(report),
        changed=one.changed,
        host=host(one.observed),
    )
