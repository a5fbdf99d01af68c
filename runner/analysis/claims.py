"""Claims of a spec and the estimates of a run → a verdict for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import ClaimResult, Estimate, Trial
    from runner.spec.experiment import Experiment


def claim_results(
    experiment: Experiment,
    measured: Sequence[Estimate],
    trials: Sequence[Trial],
    facts: Mapping[str, Any],
) -> tuple[ClaimResult, ...]:
    """Judge every claim of the experiment."""
    del experiment, measured, trials, facts
    return ()
