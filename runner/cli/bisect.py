"""`runner bisect EXP --good REF --bad REF`: the commit that made a metric worse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import apply, common, console, trust
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import Outcome
    from runner.records.manifest import Bisected
    from runner.spec.experiment import Experiment


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    common.add_spec(parser)
    trust.add(parser)
    parser.add_argument("--good", metavar="REF", required=True, help="revision that was well")
    parser.add_argument("--bad", metavar="REF", required=True, help="later one that is worse")
    parser.add_argument(
        "--metric", help="which of the metrics (default: the only one with `better`)"
    )
    parser.add_argument(
        "--confidence", default="95%", help="how sure the answer has to be (default: 95%%)"
    )
    parser.add_argument(
        "--most", type=int, default=400, metavar="N",
        help="values in all at most; then the answer is a range (default: 400)",
    )  # fmt: skip
    parser.add_argument("--wait", action="store_true", help="wait while another run holds the host")
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was ok, too")
    parser.add_argument("-q", "--quiet", action="store_true", help="results only")
    parser.set_defaults(**apply.defaults())


def run(args: argparse.Namespace) -> int:
    """Measure commits until one of them is the answer; 2 where the two ends are alike."""
    from runner.apply.bisecting import Bisecting
    from runner.planning.against import between
    from runner.planning.bisect import Bisection
    from runner.records.manifest import Commit
    from runner.spec.expand import expand, spec_hash
    from runner.store.record import RunFolder
    from runner.toolchain.revision import commits

    confidence = _share(args.confidence)
    if args.most < 1:
        raise SpecError(f"--most {args.most}: at least one value", fix="--most 400")
    loaded, known = common.read_spec(args, args.spec)
    metric = _metric(loaded.experiment, args.metric)
    folder = loaded.path.parent
    package = loaded.experiment.build.package if loaded.experiment.build else "."
    where = folder if not (folder / package).is_dir() else folder / package
    row = [Commit(*one) for one in commits(where, args.good, args.bad)]
    varied, rest = between(loaded.experiment, [one.hash for one in row])
    spec = replace(loaded, experiment=varied, expanded=expand(varied), hash=spec_hash(varied))
    apply.prepare([spec])
    search = Bisection(len(row) - 1, confidence=confidence, most=args.most)
    conduct = Bisecting(row, metric, rest, search)
    outcome = apply.one(args, spec, known, conduct)
    assert outcome.report is not None  # noqa: S101 - a run that measures has one
    bisected = RunFolder.open(outcome.report.parents[1]).manifest.bisect
    assert bisected is not None  # noqa: S101 - it is kept from the first value on
    return _show(args, bisected, outcome)


def _share(text: str) -> float:
    from runner.records.quantities import RATIO, QuantityError, parse_as

    try:
        share = float(parse_as(RATIO, text).ratio)
    except QuantityError as wrong:
        raise SpecError(f"--confidence: {wrong}", fix="--confidence 95%") from None
    if not 0.5 < share < 1:
        raise SpecError(f"--confidence {text}: above 50% and below 100%", fix="--confidence 95%")
    return share


def _metric(experiment: Experiment, name: str | None) -> str:
    """Give the metric that is looked at; SpecError where that is not plain."""
    candidates = [key for key, metric in experiment.metrics.items() if metric.better]
    if name is not None and name not in experiment.metrics:
        raise SpecError(f"--metric {name}: the spec has no such metric")
    chosen = name or (candidates[0] if len(candidates) == 1 else "")
    if not chosen:
        raise SpecError(
            f"{len(candidates)} metrics say `better`: which of them became worse?",
            fix="--metric "
            + (candidates[0] if candidates else "NAME, and `better: lower` of it in the spec"),
        )
    if chosen not in candidates:
        raise SpecError(
            f"metrics.{chosen} does not say which way is worse", fix="better: lower (or higher)"
        )
    return chosen


def _show(args: argparse.Namespace, bisected: Bisected, outcome: Outcome) -> int:
    from msgspec import to_builtins

    from runner.report.sections.bisect import answer

    if args.json:
        document = {"report": str(outcome.report), **to_builtins(bisected)}
        console.out(json.dumps(document, ensure_ascii=False))
    else:
        console.out(answer(bisected))
        console.say(str(outcome.report))
    return 0 if bisected.first is not None and bisected.last is not None and (
        bisected.first <= bisected.last
    ) else 2  # fmt: skip
