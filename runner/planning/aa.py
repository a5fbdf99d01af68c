"""A against A: one experiment twice over, interleaved, to see what a host says of no difference.

Pure: a factor whose levels change nothing, and blocks enough for several experiments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.errors import SpecError
from runner.spec.design import Factor

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment

FACTOR: Final = "same"
LEVELS: Final = ("a", "b")


def against_itself(experiment: Experiment, experiments: int, blocks: int) -> Experiment:
    """Give the experiment beside itself, in `experiments` times `blocks` blocks.

    Claims are left out, and so is a rule that would end it early: what is asked is how often a
    comparison of `blocks` blocks finds a difference where there is none.
    """
    if FACTOR in experiment.factors:
        raise SpecError(
            f"--aa adds a factor `{FACTOR}`, and the spec has one", fix="give it another name"
        )
    if not experiment.metrics:
        raise SpecError("--aa compares metrics, and the spec has none")
    if len(experiment.hosts.server) > 1:
        raise SpecError("--aa is of one host", fix="choose it with -H or --limit")
    factor = Factor(levels={level: {} for level in LEVELS})
    wanted = experiments * blocks
    repeat = experiment.repeat.model_copy(
        update={"between": (wanted, wanted), "per_board": None, "stop_when": None, "levels": None}
    )
    return experiment.model_copy(
        update={
            "factors": {FACTOR: factor, **experiment.factors},
            "baseline": {**experiment.baseline, FACTOR: LEVELS[0]},
            "treatments": tuple(
                {FACTOR: level, **cell} for cell in experiment.treatments for level in LEVELS
            ),
            "repeat": repeat,
            "claims": (),
        }
    )
