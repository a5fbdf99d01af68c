"""The order of trials: treatments and repetitions, or a search over levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.spec.treatments import treatments

if TYPE_CHECKING:
    from runner.apply.trials import TrialRunner


def run_all(runner: TrialRunner) -> None:
    """Run every trial of the experiment, in the order that its design gives."""
    experiment = runner.loaded.experiment
    cells = treatments(experiment)
    runner.expected = len(cells) * experiment.repeat.minimum
    for repetition in range(1, experiment.repeat.minimum + 1):
        for levels in cells:
            runner.run(levels, repetition)
