"""Writes what is derived from a record: analysis.json, report.md, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.render import render
from runner.store.analysis_file import to_data
from runner.store.files import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from runner.analysis.model import Analysis
    from runner.store.record import RunFolder


def write_analysis(folder: RunFolder, analysis: Analysis) -> None:
    """Write artifacts/analysis.json."""
    folder.write_artifact("analysis.json", to_json(to_data(analysis)))


def write_report(folder: RunFolder, analysis: Analysis) -> Path:
    """Write artifacts/report.md and its figures; give the report's path."""
    made = render(folder.manifest, folder.spec, folder.facts, folder.changes, analysis)
    for name, data in made.files.items():
        folder.write_artifact(name, data)
    return folder.write_artifact("report.md", made.markdown.encode())
