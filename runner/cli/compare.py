"""`runner compare A B`: two runs, or two treatments of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import ci, common, console
from runner.errors import RecordError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from runner.analysis.model import Analysis
    from runner.analysis.runs.compared import Comparison
    from runner.analysis.runs.side import Side
    from runner.records.manifest import Manifest
    from runner.report.exports.ci import Check, State
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder

FORMATS = ("text", "json", "markdown", "benchfmt", "github", "junit")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("a", metavar="A", help="RUN, or RUN:factor=level[,…] for a treatment")
    parser.add_argument("b", metavar="B", help="the same; `:factor=level` is of A's run")
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument(
        "--threshold", default="5%", help="what is too small to matter (default: 5%%)"
    )
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--json", dest="format", action="store_const", const="json")
    parser.add_argument("--markdown", dest="format", action="store_const", const="markdown")
    parser.add_argument(
        "--fail-on-regression", action="store_true", help="exit 1 where a metric got worse"
    )


def run(args: argparse.Namespace) -> int:
    """Print the comparison; 1 on a regression, where asked."""
    from runner.analysis.runs.comparison import compare

    first, where_a = split(args.a)
    second, where_b = split(args.b)
    left = side(args, first, where_a)
    right = side(args, second or first, where_b)
    if left.run != right.run:
        root = common.reports_dir(args)
        known = {left.run, right.run}
        left, right = (replace(one, family=family(root, one, known)) for one in (left, right))
    comparison = compare(left, right, threshold(args.threshold))
    if not comparison.rows:
        raise SpecError(
            f"{comparison.a} and {comparison.b} have no metric in common",
            fix="compare runs of one experiment: runner query 'select experiment, run from runs'",
        )
    show(comparison, left, right, args.format)
    return 1 if args.fail_on_regression and comparison.regressions else 0


def show(compared: Comparison, left: Side, right: Side, form: str) -> None:
    """Print a comparison in one of FORMATS."""
    from runner.report.exports import benchfmt
    from runner.report.sections import comparison

    if form == "benchfmt":
        parts = [
            benchfmt.text(
                one.experiment.name, one.analysis,
                one.experiment.metrics, {"side": name}, one.where, about={"run": one.run},
            )
            for name, one in (("a", left), ("b", right))
        ]  # fmt: skip
        console.out("\n".join(parts).rstrip("\n"))
    elif form == "json":
        console.out(json.dumps(comparison.data(compared), ensure_ascii=False, indent=1))
    elif form in {"github", "junit"}:
        ci.show(form, f"{compared.a} → {compared.b}", _checks(compared))
    elif form == "markdown":
        console.out(comparison.page(compared).rstrip("\n"))
    else:
        console.out(comparison.text(compared))


def _checks(compared: Comparison) -> list[Check]:
    """One check for each metric and cell; what could not be decided is skipped."""
    from runner.report.exports.ci import Check
    from runner.report.format import words
    from runner.report.sections.comparison import MARKS, cells

    states: dict[str, State] = {"worse": "failed", "undecided": "skipped"}
    checks = []
    for row in compared.rows:
        where = words.treatment(row.where)
        _, _, a, b, ratio, interval, p, *_ = cells(row)
        checks.append(
            Check(
                f"{compared.a} → {compared.b}", f"{row.metric} {where}".strip(),
                states.get(row.outcome, "passed" if row.ratio is not None else "skipped"),
                MARKS[row.outcome],
                f"{a} → {b}, ratio {ratio or '–'} [{interval}], p {p}"
                + (f"; {row.why}" if row.why else ""),
            )
        )  # fmt: skip
    return checks


def threshold(text: str, option: str = "--threshold") -> float:
    """Read `5%` or `0.05`; a bare 5 is a slip for one of them."""
    from runner.records.quantities import RATIO, QuantityError, parse_as

    try:
        share = parse_as(RATIO, text).ratio
    except QuantityError as error:
        raise SpecError(f"{option} {text}: {error}", fix="for example 5%") from None
    if share < 0:
        raise SpecError(f"{option} {text} is below 0", fix="for example 5%")
    if share >= 1 and "%" not in text:
        raise SpecError(
            f"{option} {text} is {share:.0%}", fix=f"write {text.strip()}%, or {share:.0%}"
        )
    return share


def split(text: str) -> tuple[str, str]:
    """Split `RUN:factor=level` into the run and the treatment."""
    run, colon, where = text.rpartition(":")
    if colon and (not where or "=" in where or "/" not in where):
        return run, where
    return text, ""


def side(args: argparse.Namespace, which: str, where: str) -> Side:
    """Read one side from its record."""
    from runner.store.runs import find

    if not which:
        raise SpecError(f"`:{where}` names no run", fix="write RUN:factor=level first")
    return of_folder(find(common.reports_dir(args), which), where)


def of_folder(folder: RunFolder, where: str = "") -> Side:
    """Give a run, or a treatment of it, as one side."""
    from runner.analysis.judge import server_facts
    from runner.analysis.runs.side import Side
    from runner.apply.judged import judged
    from runner.store.experiment import of_record

    experiment = of_record(folder)
    return Side(
        name=folder.id + (f":{where}" if where else ""),
        analysis=judged(folder, experiment),
        where=levels(folder.id, experiment, where),
        facts={**server_facts(folder, experiment), **made_with(folder)},
        experiment=experiment,
        run=folder.id,
        program=programs(folder.manifest),
    )


def made_with(folder: RunFolder) -> dict[str, str | None]:
    """Name what made the run: programs by their hash, tools by their version, runner's commit."""
    manifest = folder.manifest
    versions = {
        f"build.{name}.{key}": value
        for name, build in manifest.builds.items()
        for key, value in (("toolchain", build.toolchain or None), ("sha256", build.sha256 or None))
    }
    versions |= {f"tool.{name}": tool.version for name, tool in manifest.tools.items()}
    return versions | {"git.commit": manifest.git.commit}


MOST_SESSIONS = 12
"""Other runs that are read to say what a session is worth, the newest."""


def family(root: Path, of: Side, known: Collection[str]) -> tuple[Analysis, ...]:
    """Give the analyses of other finished runs of a side's spec and programs."""
    from runner.errors import RunnerError
    from runner.store import analysis_file
    from runner.store.files import read_json
    from runner.store.record import ARTIFACTS, RunFolder
    from runner.store.runs import runs

    analyses: list[Analysis] = []
    for path in reversed(runs(root, of.experiment.name)):
        if path.name in known or len(analyses) == MOST_SESSIONS:
            continue
        try:
            other = RunFolder.open(path).manifest
            if other.state == "done" and programs(other) == of.program:
                data = read_json(path / ARTIFACTS / analysis_file.NAME)
                analyses.append(analysis_file.from_data(data))
        except (RunnerError, OSError, ValueError):
            continue  # what cannot be read says nothing of a session
    return tuple(analyses)


def programs(manifest: Manifest) -> str:
    """Tell runs of one spec and the same programs from others."""
    hashes = sorted((name, one.sha256) for name, one in manifest.builds.items())
    return json.dumps([manifest.run_hash, hashes])


def levels(run: str, experiment: Experiment, text: str) -> dict[str, str]:
    """Read `flags=all,server=nethttp`, or a level's name alone where only one factor has it."""
    factors = {name: factor.names() for name, factor in experiment.factors.items()}
    chosen: dict[str, str] = {}
    for word in filter(None, text.split(",")):
        factor, equals, level = word.partition("=")
        if not equals:
            level = factor
            owners = [name for name, known in factors.items() if level in known]
            factor = owners[0] if len(owners) == 1 else ""
        if level not in factors.get(factor, ()):
            known_levels = ", ".join(f"{n}={lv}" for n, all_ in factors.items() for lv in all_)
            raise RecordError(
                f"run {run} has no treatment `{word}`",
                fix=f"it has: {known_levels}" if known_levels else "its spec has no factors",
            )
        chosen[factor] = level
    return chosen
