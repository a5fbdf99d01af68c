"""`runner why RUN RUN`: which of the things that differ between two runs explain the gap."""

from __future__ import annotations

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import apply, common, compare, console
from runner.errors import RecordError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runner.analysis.runs.differences import Difference, Found
    from runner.analysis.runs.side import Side
    from runner.apply.interface import Loaded, Outcome
    from runner.store.record import RunFolder

PAGE = "why.md"
BLOCKS = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options: the two runs, what is varied, and those of `apply`."""
    parser.add_argument("a", metavar="A", help="RUN, or RUN:factor=level[,…] for a treatment")
    parser.add_argument(
        "b", metavar="B", help="the same; its spec is the one that is run, varied, on this host"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME",
        help="vary these differences alone: build.go, 'sysctl.net.*'",
    )  # fmt: skip
    parser.add_argument(
        "--without", action="append", default=[], metavar="NAME",
        help="leave these as they are in b",
    )  # fmt: skip
    parser.add_argument(
        "--blocks", type=int, default=BLOCKS,
        help=f"runs of the whole design, shuffled each (default: {BLOCKS})",
    )  # fmt: skip
    parser.add_argument(
        "--reboot", action="store_true",
        help="vary the kernel command line too: the host is booted in each block with either "
        "(default: where b's spec has it rebooted anyway)",
    )  # fmt: skip
    apply.configure(parser, specs=False)


def run(args: argparse.Namespace) -> int:
    """Vary what differs and can be set here, restore, say what explains the gap."""
    from runner.analysis.runs.boot_words import may_boot
    from runner.analysis.runs.differences import differences
    from runner.store.runs import find

    first, where_a = compare.split(args.a)
    second, where_b = compare.split(args.b)
    if args.blocks < 1:
        raise SpecError(f"--blocks {args.blocks}: at least one", fix=f"--blocks {BLOCKS}")
    if not first:
        raise SpecError(f"`{args.a}` names no run", fix="write RUN:factor=level first")
    folders = [find(common.reports_dir(args), which) for which in (first, second or first)]
    a, b = (compare.of_folder(f, w) for f, w in zip(folders, (where_a, where_b), strict=True))
    differing = differences(a, b, boots=args.reboot or may_boot(b.experiment))
    differing = replace(
        differing, settable=tuple(_chosen(differing.settable, args.only, args.without))
    )
    if not differing.settable:
        raise RecordError(
            "nothing that differs between the two can be set here",
            fix="; ".join(f"{one.name}: {one.why}" for one in differing.others[:10])
            or f"see what differs: runner compare {args.a} {args.b}",
        )
    loaded, names = _screening(args, folders[1], b, differing)
    return _shown(args, (a, b), differing, (loaded, names))


def _chosen(
    differing: Sequence[Difference], only: Sequence[str], without: Sequence[str]
) -> list[Difference]:
    """Give the differences that were asked for; SpecError where a name is of none."""
    for pattern in (*only, *without):
        if not any(fnmatchcase(one.name, pattern) for one in differing):
            known = ", ".join(one.name for one in differing) or "none"
            raise SpecError(f"no difference is called {pattern}", fix=f"there is: {known}")
    return [
        one
        for one in differing
        if (not only or any(fnmatchcase(one.name, pattern) for pattern in only))
        and not any(fnmatchcase(one.name, pattern) for pattern in without)
    ]


def _screening(
    args: argparse.Namespace, folder: RunFolder, side: Side, differing: Found
) -> tuple[Loaded, dict[str, str]]:
    """Give the spec of b with a factor for each difference, and what each factor stands for."""
    from runner.planning.screening import factor_names, screening
    from runner.spec.expand import expand, run_hash, spec_hash
    from runner.store.spec_file import check_record, spec_of

    check_record(folder)
    spec = spec_of(folder, Path.cwd())
    if spec is None:
        raise RecordError(
            f"the spec of {folder.id} is not here as it was run: "
            f"{folder.manifest.spec.path or 'its path is not known'}",
            fix="run it anew, and ask of that run: runner reproduce RUN",
        )
    loaded, known = common.read_spec(args, str(spec))
    if run_hash(loaded.experiment) != folder.manifest.run_hash and not args.host:
        raise RecordError(
            f"{spec} gives another experiment than {folder.id} was",
            fix="give the -e and -H that it was run with: " + " ".join(folder.manifest.command),
        )
    short = factor_names([one.name for one in differing.settable], list(loaded.experiment.factors))
    screened = screening(
        loaded.experiment,
        {short[one.name]: (one.overlay(one.a), one.overlay(one.b)) for one in differing.settable},
        side.where,
        args.blocks,
    )
    args.known = known
    return (
        replace(loaded, experiment=screened, expanded=expand(screened), hash=spec_hash(screened)),
        {factor: name for name, factor in short.items()},
    )


def _shown(
    args: argparse.Namespace,
    sides: tuple[Side, Side],
    differing: Found,
    screened: tuple[Loaded, dict[str, str]],
) -> int:
    from runner.analysis.runs.screened import explained
    from runner.report.sections import why
    from runner.store.record import RunFolder

    loaded, names = screened
    count = len(loaded.experiment.treatments) * args.blocks
    console.say(f"varying {', '.join(one.name for one in differing.settable)}: {count} trials")
    apply.prepare([loaded])
    outcome = apply.one(args, loaded, args.known)
    if args.check:
        return 0
    if outcome.report is None:
        return 2
    folder = RunFolder.open(outcome.report.parents[1])
    result = why.Why(
        sides[0].name, sides[1].name, folder.id, len(outcome.trials), differing,
        explained(*sides, compare.of_folder(folder).analysis, names),
    )  # fmt: skip
    folder.write_artifact(PAGE, why.page(result).encode())
    if args.json:
        console.out(json.dumps(why.data(result), ensure_ascii=False, indent=1))
    else:
        for line in why.lines(result):
            console.out(line)
        console.out(str(folder.path / "artifacts" / PAGE))
    return _code(outcome)


def _code(outcome: Outcome) -> int:
    if outcome.failed:
        console.error(outcome.failed.splitlines()[0], "see the report; the host is as it was")
    return outcome.code
