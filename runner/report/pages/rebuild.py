"""A run folder's report: written once at the end of a run, rebuilt any time, offline.

Both ways go through `analysis.json`, so that a report rebuilt from the record
has the same bytes as the first one.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Final

from runner.errors import RecordError
from runner.report.figures import choice
from runner.report.figures.labels import MOST
from runner.report.pages.render import REPORT, render
from runner.report.sections import atlas
from runner.store import analysis_file
from runner.store.experiment import of_record
from runner.store.files import read_json
from runner.store.record import ARTIFACTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.analysis.model import Analysis, Series
    from runner.report.pages.render import Report
    from runner.store.record import RunFolder

POINTS: Final = 600
"""Points of a line in analysis.json; beyond, each is the highest of its stretch."""
SERIES_BYTES: Final = 250_000
"""Lines of figures in analysis.json, at most; the samples themselves are in the events."""


def write_analysis(folder: RunFolder, analysis: Analysis) -> Path:
    """Write analysis.json, with the series that figures show; best before `folder.finish()`.

    The size rule of `finish` then knows how large it is.
    """
    data = analysis_file.to_data(trimmed(analysis))
    return folder.write_artifact(analysis_file.NAME, lines(data))


def write(folder: RunFolder, analysis: Analysis) -> Path:
    """Write analysis.json, the report and its figures; give the report's path.

    Call it after `folder.finish()`: the report shows how the run ended and links
    to the compressed events.
    """
    write_analysis(folder, analysis)
    return rebuild(folder)


def rebuild(folder: RunFolder) -> Path:
    """Render the report of the record again, offline; give its path."""
    path = folder.path / ARTIFACTS / analysis_file.NAME
    if not path.is_file():
        raise RecordError(
            f"run {folder.id} has no {analysis_file.NAME}: it stopped ({folder.state}) before the "
            "analysis",
            fix="its events are in the folder and can be analysed again",
        )
    return _write(folder, report(folder, read_json(path)))


def report(folder: RunFolder, data: dict[str, object]) -> Report:
    """Render from the record and the analysis as JSON."""
    analysis = analysis_file.from_data(data)
    experiment = of_record(folder)
    return render(folder.manifest, experiment, folder.facts, folder.changes, analysis)


def _write(folder: RunFolder, pages: Report) -> Path:
    figures = folder.path / ARTIFACTS / choice.FOLDER
    for name, content in pages.all_files().items():
        folder.write_artifact(name, content)
    # a figure of an earlier analysis must not stay beside the report that no longer shows it
    for left in sorted(figures.glob("*.svg")):
        if f"{choice.FOLDER}/{left.name}" not in pages.files:
            left.unlink()
    return folder.path / ARTIFACTS / REPORT


def trimmed(analysis: Analysis) -> Analysis:
    """Keep the series that figures show, thinned to what a figure can show, as far as they fit."""
    shown = {trial.id: i for i, trial in enumerate(choice.chosen(analysis)[:MOST])}
    thinned = [_thin(series) for series in analysis.series if series.trial in shown]
    used = 0
    kept: set[int] = set()
    for i in sorted(range(len(thinned)), key=lambda i: (shown[thinned[i].trial], i)):
        used += len(json.dumps(dataclasses.asdict(thinned[i])))
        if used <= SERIES_BYTES:
            kept.add(i)
    series = tuple(one for i, one in enumerate(thinned) if i in kept)
    return atlas.trimmed(dataclasses.replace(analysis, series=series))


def _thin(series: Series) -> Series:
    if len(series.t) <= POINTS:
        return series
    every = -(-len(series.t) // POINTS)
    stretches = [series.v[i : i + every] for i in range(0, len(series.v), every)]
    peaks = [max((v for v in stretch if v is not None), default=None) for stretch in stretches]
    return dataclasses.replace(series, t=series.t[::every], v=tuple(peaks))


def lines(data: Mapping[str, object]) -> bytes:
    """JSON with one line per trial, estimate, claim and series: small, and good to diff."""
    parts = []
    for key, value in data.items():
        if isinstance(value, list) and value:
            rows = ",\n".join(_dump(item) for item in value)
            parts.append(f"{_dump(key)}:[\n{rows}\n]")
        else:
            parts.append(f"{_dump(key)}:{_dump(value)}")
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
