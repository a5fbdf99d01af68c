"""The end of a run: its record judged and closed, its report written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runner.analysis.judge import judge
from runner.report.pages import rebuild

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from runner.analysis.model import Analysis, Trial
    from runner.apply.interface import Counts
    from runner.records.manifest import State
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder


def conclude(
    folder: RunFolder,
    experiment: Experiment,
    counts: Mapping[str, Counts],
    state: State,
    why: str,
) -> tuple[Analysis, Path]:
    """Judge what was recorded, close the record, and write the report."""
    folder.update(recap={name: vars(count) for name, count in counts.items()})
    analysis = judge(folder, experiment)
    rebuild.write_analysis(folder, analysis)
    folder.finish(state, at=time.time(), why=why)
    return analysis, rebuild.write(folder, analysis)


def failures(trials: Iterable[Trial]) -> str:
    """Say which trials failed; one that a later attempt made good is none."""
    last: dict[str, Trial] = {}
    for trial in trials:
        last[trial.id.rpartition("-a")[0]] = trial
    return "; ".join(f"{t.id}: {t.why}" for t in last.values() if t.outcome == "error")
