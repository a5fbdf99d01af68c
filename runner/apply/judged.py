"""A run folder, judged: by its events, or where they are not here by the trials of its analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.analysis.judge import judge, judge_again
from runner.spec.experiment import Experiment
from runner.store import analysis_file
from runner.store.files import read_json
from runner.store.record import ARTIFACTS

if TYPE_CHECKING:
    from pathlib import Path

    from runner.analysis.model import Analysis
    from runner.store.record import RunFolder


def of_record(folder: RunFolder) -> Experiment:
    """Give the experiment that a record holds, with the claims that it was judged with last."""
    judged = folder.manifest.get("judged_with") or {}
    instead = {key: judged[key] for key in ("claims", "metrics") if key in judged}
    return Experiment.model_validate({**folder.spec, **instead})


def judged(folder: RunFolder, experiment: Experiment) -> Analysis:
    """Judge a run by its events; where they are not all here, by the trials of analysis.json."""
    stored = _stored(folder)
    if complete(folder) or not stored.is_file():
        return judge(folder, experiment)
    return judge_again(analysis_file.from_data(read_json(stored)), folder, experiment)


def complete(folder: RunFolder) -> bool:
    """Whether the events of every trial are here: git leaves out the largest."""
    table = folder.manifest.get("events") or {}
    return all((folder.path / entry["file"]).is_file() for entry in table.values())


def _stored(folder: RunFolder) -> Path:
    return folder.path / ARTIFACTS / analysis_file.NAME
