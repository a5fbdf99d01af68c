"""A run folder, judged: by its events, or where they are not here by the trials of its analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.analysis.judge import judge, judge_again
from runner.store import analysis_file
from runner.store.files import read_json
from runner.store.record import ARTIFACTS

if TYPE_CHECKING:
    from pathlib import Path

    from runner.analysis.model import Analysis
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder


def judged(folder: RunFolder, experiment: Experiment) -> Analysis:
    """Judge a run by its events; where they are not all here, by the trials of analysis.json."""
    stored = _stored(folder)
    if complete(folder) or not stored.is_file():
        return judge(folder, experiment)
    return judge_again(analysis_file.from_data(read_json(stored)), folder, experiment)


def complete(folder: RunFolder) -> bool:
    """Whether the events of every trial are here: git leaves out the largest."""
    return all((folder.path / entry.file).is_file() for entry in folder.manifest.events.values())


def _stored(folder: RunFolder) -> Path:
    return folder.path / ARTIFACTS / analysis_file.NAME
