"""`runner verify EXP…`: a gate for continuous integration."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import ci, common, console

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runner.apply.ledger import Entry
    from runner.report.exports.ci import Check, State


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    common.add_spec(parser, many=True)
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="fail too where claims or what is run changed after the run",
    )
    parser.add_argument("--format", choices=("text", "json", *ci.FORMATS), default="text")
    parser.add_argument("--json", dest="format", action="store_const", const="json")


def run(args: argparse.Namespace) -> int:
    """Judge the newest run of each spec; 1 where a required verdict is not `reproduced`."""
    from runner.apply.ledger import entry

    entries = []
    for path in args.specs:
        loaded, _ = common.read_spec(args, path)
        if loaded.experiment.lint.only:
            console.say(f"{path}: skipped, it is never run ({loaded.experiment.lint.only})")
            continue
        entries.append(entry(loaded.experiment, path, common.reports_dir(args)))
    failed = [one for one in entries if _fails(one, strict=args.strict)]
    if args.format in ci.FORMATS:
        ci.show(args.format, "Published numbers", _checks(entries))
    elif args.format == "json":
        console.out(json.dumps([_data(one) for one in entries], ensure_ascii=False, default=str))
    else:
        for one in entries:
            _show(one)
        count = f"{len(entries) - len(failed)} of {len(entries)} hold"
        console.say(console.colour(count, "failed" if failed else "ok"))
    return 1 if failed else 0


def _checks(entries: Sequence[Entry]) -> list[Check]:
    """One check for each claim, at its line; one that is not required cannot fail."""
    from runner.report.exports.ci import Check
    from runner.report.format import units

    checks = []
    for one in entries:
        lines = _lines(one)
        for claim in one.claims:
            state: State = "failed" if claim in one.failing else "passed"
            if claim.verdict != "reproduced" and state == "passed":
                state = "skipped"
            measured = units.amount(claim.estimate, claim.unit)
            checks.append(
                Check(
                    one.path, claim.id, state, claim.verdict,
                    f"published {claim.published or '–'}, measured {measured}: {claim.reason}",
                    one.path, lines.get(claim.id.partition("/")[0], 0),
                )
            )  # fmt: skip
    return checks


def _lines(one: Entry) -> dict[str, int]:
    """Give the line of each claim in its spec."""
    from runner.specfile.load import load_document

    loaded = load_document(one.path)
    return {
        claim.id.partition("/")[0]: loaded.position(("claims", index))[0]
        for index, claim in enumerate(loaded.experiment.claims)
    }


def _fails(one: Entry, *, strict: bool) -> bool:
    return bool(one.failing) or (strict and bool(one.changed or one.stale))


def _data(one: Entry) -> dict[str, object]:
    return {
        "spec": one.path,
        "experiment": one.experiment.name,
        "run": None if one.folder is None else one.folder.id,
        "report": one.report,
        "holds": not one.failing,
        "runs": list(one.runs),
        "widened_after_run": list(one.widened),
        "claims_changed_after_run": list(one.changed),
        "changed_since_run": list(one.stale),
        "notes": list(one.notes),
        "claims": [
            {**dataclasses.asdict(claim), "holds": claim not in one.failing} for claim in one.claims
        ],
    }


def _show(one: Entry) -> None:
    from runner.report.format import units, words

    run = "no finished run" if one.folder is None else f"run {one.folder.id}"
    if len(one.runs) > 1:
        run = f"{len(one.runs)} runs, the newest run {one.runs[0]}"
    console.out(f"{one.path}: {run}")
    if one.changed:
        console.out(f"  ! changed after the run: {', '.join(one.changed)} of the spec")
    if one.stale:
        console.out(f"  ! no longer what was run: {', '.join(one.stale)} of the spec")
    for note in one.notes:
        console.out(f"  ! {note}")
    for claim in one.claims:
        mark = "✗" if claim in one.failing else "✓" if claim.verdict == "reproduced" else "·"
        seen = units.amount(claim.estimate, claim.unit)
        more = f", interval {units.interval(claim.interval, claim.unit)}" if claim.interval else ""
        kind = "" if claim.required else " (not required)"
        console.out(f"  {mark} {claim.id}  {words.verdict(claim.verdict)}{kind}")
        if claim.published or claim.estimate is not None:
            console.out(f"      published {claim.published or '–'}, measured {seen}{more}")
        console.out(f"      {claim.reason}")
