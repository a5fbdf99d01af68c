"""What trials and treatments are called in figures, and how many of them are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.records.outcome import MEASURED
from runner.report.format import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Trial

MOST: Final = 8
"""Memory figures and load figures each; a run in git has to stay small."""


def by_treatment(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    """Trials that were measured, by treatment; another one is not a repetition."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.outcome in MEASURED:
            found.setdefault(words.treatment(trial.treatment), []).append(trial)
    return found


def label(trial: Trial) -> str:
    """Name a trial with its levels."""
    levels = words.treatment(trial.treatment)
    return f"{trial.id} ({levels})" if levels else trial.id


def of(treatment: str) -> str:
    """Name a treatment at the end of a title."""
    return f", {treatment}" if treatment else ""


def suffix(treatment: str) -> str:
    """Name a treatment at the end of a file's name."""
    return f"-{treatment}" if treatment else ""
