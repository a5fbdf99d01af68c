"""What `runner apply` lays beside the experiment: another version of it, or itself (`--aa`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.cli import console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from runner.apply.interface import Loaded
    from runner.spec.experiment import Experiment

PAGE: Final = "aa.md"
EXPERIMENTS: Final = 10
"""Experiments of A against A, where nobody says how many."""
MOST: Final = 1000


def asked(experiment: Experiment, experiments: int) -> Experiment:
    """Give the experiment beside itself: as many blocks as it repeats, or as can find anything."""
    from runner.analysis.runs.compared import ALPHA
    from runner.analysis.stats.permutation import fewest
    from runner.planning.aa import against_itself

    if not 2 <= experiments <= MOST:
        raise SpecError(f"--aa {experiments}: from 2 to {MOST} experiments", fix="say --aa 10")
    blocks = max(experiment.blocks[0], fewest(ALPHA, paired=True))
    return against_itself(experiment, experiments, blocks)


def show(args: argparse.Namespace, run: Path) -> int:
    """Print the rate and write its page; 1 where it is more than chance explains."""
    from runner.analysis.runs.false_differences import false_differences
    from runner.apply.judged import judged
    from runner.planning.aa import FACTOR, LEVELS
    from runner.report.pages import aa
    from runner.store.experiment import of_record
    from runner.store.record import RunFolder

    folder = RunFolder.open(run)
    experiment = of_record(folder)
    blocks = experiment.repeat.minimum // args.aa
    rates = false_differences(judged(folder, experiment), experiment, (FACTOR, *LEVELS), blocks)
    folder.write_artifact(PAGE, aa.page(rates, experiment.title or experiment.name).encode())
    if not args.json:
        console.out(aa.line(rates))
    return 1 if rates.interleaved.too_often else 0


def versions(loaded: Loaded, args: argparse.Namespace) -> Loaded:
    """Give the spec with two versions of its program, or beside itself, where that is asked for."""
    if args.against is None and args.aa is None:
        return loaded
    from runner.planning.against import against
    from runner.spec.expand import expand, spec_hash

    if args.against is not None and args.aa is not None:
        raise SpecError("--against and --aa are two questions", fix="ask one of them")
    if args.aa is not None:
        varied = asked(loaded.experiment, args.aa)
    else:
        varied = against(loaded.experiment, args.against)
    return replace(loaded, experiment=varied, expanded=expand(varied), hash=spec_hash(varied))
