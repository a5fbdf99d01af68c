"""Two versions of a program as one experiment: a factor, its levels built from two trees. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.errors import SpecError
from runner.spec.design import Factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.spec.experiment import Experiment

FACTOR: Final = "version"
HEAD: Final = "head"
"""The level of the working tree as it is."""


def against(experiment: Experiment, ref: str) -> Experiment:
    """Give the experiment with the working tree beside the revision `ref`, interleaved in blocks.

    Claims are left out: what is asked is whether the change made a metric worse. Names of folders
    are kept out of both programs where Go builds them, since the two trees lie elsewhere.
    """
    if experiment.build is None:
        raise SpecError("--against needs `build`: two versions of a program are built and run")
    if FACTOR in experiment.factors:
        raise SpecError(
            f"--against adds a factor `{FACTOR}`, and the spec has one", fix="give it another name"
        )
    if ref == HEAD:
        raise SpecError(f"`{HEAD}` is the working tree here", fix="say HEAD, or a commit")
    if not experiment.metrics:
        raise SpecError("--against compares metrics, and the spec has none")
    alike = {} if experiment.build.command else {"trimpath": True}
    factor = Factor(levels={ref: {"build": {"ref": ref, **alike}}, HEAD: {"build": alike}})
    factors = {FACTOR: factor, **experiment.factors}
    baseline = {**experiment.baseline, FACTOR: ref}
    return experiment.model_copy(update={"factors": factors, "baseline": baseline, "claims": ()})


def level_of(commit: str) -> str:
    """Name a commit as a level of the factor."""
    return commit[:12]


def between(experiment: Experiment, commits: Sequence[str]) -> tuple[Experiment, dict[str, str]]:
    """Give the experiment with a level for each commit, and the levels of all other factors.

    Those are the baseline's; claims are left out, as in `against`.
    """
    if experiment.build is None:
        raise SpecError("bisect needs `build`: a program is built at each commit")
    if FACTOR in experiment.factors:
        raise SpecError(
            f"bisect adds a factor `{FACTOR}`, and the spec has one", fix="give it another name"
        )
    if experiment.search is not None:
        raise SpecError("bisect compares trials, and the spec has a search", fix="fix the level")
    open_ = [name for name in experiment.factors if name not in experiment.baseline]
    if open_:
        raise SpecError(
            f"bisect measures one treatment, and {', '.join(open_)} has several levels",
            fix="say which: `baseline: {" + ", ".join(f"{name}: LEVEL" for name in open_) + "}`",
        )
    alike = {} if experiment.build.command else {"trimpath": True}
    levels = {level_of(one): {"build": {"ref": one, **alike}} for one in commits}
    rest = {name: experiment.baseline[name] for name in experiment.factors}
    factors = {FACTOR: Factor(levels=levels), **experiment.factors}
    varied = experiment.model_copy(
        update={"factors": factors, "baseline": {**rest, FACTOR: level_of(commits[0])},
                "claims": (), "skip": (), "treatments": ()}
    )  # fmt: skip
    return varied, rest
