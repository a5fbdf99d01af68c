"""`runner reproduce RUN|FOLDER|BUNDLE`: somebody's run again, theirs against ours."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import apply, common, compare, console
from runner.cli.outcome import show
from runner.errors import RecordError

if TYPE_CHECKING:
    import argparse

    from runner.store.record import RunFolder

PAGE = "reproduction.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options: what is reproduced, and those of `apply`."""
    parser.add_argument(
        "run_", metavar="RUN", help="run-id, experiment, folder of a run, or a bundle (.crate.zip)"
    )
    parser.add_argument(
        "--threshold", default="5%", help="what is too small to matter (default: 5%%)"
    )
    parser.add_argument(
        "--into",
        type=Path,
        help="folder that a bundle is unpacked to, and kept (default: not kept)",
    )
    apply.configure(parser, specs=False)


def run(args: argparse.Namespace) -> int:
    """Run their spec, compare; 1 where a metric differs, 2 where nothing could be compared."""
    with contextlib.ExitStack() as stack:
        theirs, spec = _theirs(args, stack)
        args.specs = [str(spec)]
        loaded, known = common.read_spec(args, str(spec))
        apply.prepare([loaded])
        console.say(f"reproducing {theirs.experiment} {theirs.id}")
        outcome = apply.one(args, loaded, known)
        if args.check:
            return 0
        show(outcome)
        if outcome.report is None:
            return 2
        return _against(args, theirs, outcome.report.parents[1])


def _theirs(args: argparse.Namespace, stack: contextlib.ExitStack) -> tuple[RunFolder, Path]:
    """Give their record, and the spec to run: checked by hash against what they say."""
    from runner.report.exports import crate
    from runner.store import bundle
    from runner.store.record import RunFolder
    from runner.store.runs import find
    from runner.store.spec_file import check_record, spec_of

    given = Path(args.run_)
    if given.is_file() and given.suffix == ".zip":
        if args.into is not None and args.into.exists():
            raise RecordError(f"{args.into} is there", fix="name a folder that is not")
        place = args.into or Path(stack.enter_context(tempfile.TemporaryDirectory("runner")))
        bundle.unpack(given, place, crate.NAME, crate.hashes)
        folder = RunFolder.open(place / bundle.RUN)
        spec = place / bundle.EXPERIMENT / Path(folder.manifest.spec.path).name
        check_record(folder)
        if not spec.is_file() or spec.read_bytes() != (folder.path / "spec.yaml").read_bytes():
            raise RecordError(f"{given} holds another spec than the one that was run")
        return folder, spec
    folder = find(common.reports_dir(args), args.run_)
    check_record(folder)
    spec_file = spec_of(folder, Path.cwd())
    if spec_file is None:
        commit = folder.manifest.git.commit
        raise RecordError(
            f"the spec of {folder.id} is not here as it was run: "
            f"{folder.manifest.spec.path or 'its path is not known'}",
            fix=(f"git checkout {commit}, or " if commit else "")
            + "take a bundle of it: runner export RUN --to ro-crate",
        )
    return folder, spec_file


def _against(args: argparse.Namespace, theirs: RunFolder, path: Path) -> int:
    """Print theirs against ours, the environment first; keep the page beside our report."""
    from runner.analysis.runs.comparison import compare as compared
    from runner.report.sections import comparison, reproduced
    from runner.store.record import RunFolder

    ours = RunFolder.open(path)
    left, right = compare.of_folder(theirs), compare.of_folder(ours)
    result = compared(left, right, compare.threshold(args.threshold))
    verdicts = reproduced.pairs(left.analysis.claims, right.analysis.claims)
    page = reproduced.page(result, verdicts)
    ours.write_artifact(PAGE, page.encode())
    console.out(comparison.text(result))
    for line in reproduced.lines(verdicts):
        console.out(line)
    console.out(reproduced.verdict(result))
    console.out(str(path / "artifacts" / PAGE))
    return reproduced.exit_code(result)
