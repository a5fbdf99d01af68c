"""One side of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment


@dataclass(frozen=True)
class Side:
    """One of the two: a run's analysis, and the levels that choose its treatments."""

    name: str
    analysis: Analysis
    where: Mapping[str, str]
    facts: Mapping[str, Json]
    experiment: Experiment
    """What was run, with the metrics that it is judged by."""
    run: str = ""
    program: str = ""
    """Tells runs of one spec and the same programs from others; empty where that is unknown."""
    family: Sequence[Analysis] = ()
    """Other runs of the same spec and program: what a session is worth is known by them."""
