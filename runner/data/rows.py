"""One run folder → the rows of every table, by the same readers that reports use."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.errors import RecordError
from runner.kinds.sources import by_column
from runner.kinds.units import sampled
from runner.records.trial_events import Columns, Sample
from runner.records.units import base_name
from runner.store import analysis_file
from runner.store.files import read_json
from runner.store.record import ARTIFACTS, RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from runner.analysis.model import Analysis, Step

Value = str | float | bool | None | list[float | None] | dict[str, float] | dict[str, str]
Row = dict[str, Value]


def rows_of(path: Path) -> dict[str, list[Row]]:
    """Read one run folder; a run without a readable analysis has rows in `runs` alone.

    RecordError where run.json itself cannot be read.
    """
    folder = RunFolder.open(path)
    analysis: Analysis | None = None
    why = ""
    try:
        analysis = analysis_file.from_data(read_json(path / ARTIFACTS / analysis_file.NAME))
    except RecordError as error:
        why = error.message
    mark: Row = {"experiment": folder.experiment, "run": folder.id}
    by_table: dict[str, list[Row]] = {"runs": [mark | _run(folder, analysis, why)]}
    by_table["facts"] = [mark | row for row in _facts(folder)]
    by_table["changes"] = [mark | row for row in _changes(folder)]
    if analysis is not None:
        by_table["trials"] = [mark | row for row in _trials(analysis)]
        by_table["steps"] = [mark | row for row in _steps(analysis)]
        by_table["estimates"] = [mark | row for row in _estimates(analysis)]
        by_table["claims"] = [mark | row for row in _claims(analysis)]
    return by_table


def samples_of(path: Path) -> Iterator[Row]:
    """Yield every sampled value of a run; trials whose events are not here have none."""
    folder = RunFolder.open(path)
    for trial in folder.trials():
        columns: tuple[str, ...] = ()
        known = by_column(folder.facts_of(trial))
        try:
            for event in folder.iter_events(trial):
                if isinstance(event, Columns):
                    columns = event.names
                elif isinstance(event, Sample):
                    for name, value in zip(columns, event.v, strict=False):
                        if value is not None:
                            yield {"experiment": folder.experiment, "run": folder.id,
                                   "trial": trial, "t_s": event.t,
                                   **sampled(name, value, known)}  # fmt: skip
        except RecordError:
            continue  # git leaves out the largest; `trials` still has the trial


def _at(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(" ")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _run(folder: RunFolder, analysis: Analysis | None, why: str) -> Row:
    manifest = folder.manifest
    git, own = manifest.git, manifest.tools.get("runner")
    host = analysis.trials[0].host if analysis is not None and analysis.trials else None
    host = host or next(iter(folder.facts), None)
    facts = folder.facts.get(host or "") or {}
    return {
        "path": str(folder.path),
        "state": folder.state,
        "started_at": _at(manifest.started_at),
        "ended_at": _at(manifest.ended_at),
        "host": host,
        "board": facts.get("board.model"),
        "arch": facts.get("arch"),
        "kernel": facts.get("kernel.release"),
        "emulated": bool(facts["emulated"]) if facts.get("emulated") is not None else None,
        "commit": git.commit,
        "dirty": git.dirty,
        "runner": own.version if own else None,
        "spec_hash": manifest.spec_hash or None,
        "analysed": analysis is not None,
        "why": manifest.why or why,
    }


def _facts(folder: RunFolder) -> Iterable[Row]:
    for host, facts in folder.facts.items():
        for name, value in facts.items():
            yield {"host": host, "fact": name, "value": _text(value)}


def _changes(folder: RunFolder) -> Iterable[Row]:
    for change in folder.changes:
        yield {
            "phase": change.phase, "host": change.host, "id": change.id,
            "outcome": change.outcome, "before": _text(change.before),
            "after": _text(change.after), "why": _text(change.why),
        }  # fmt: skip


def _trials(analysis: Analysis) -> Iterable[Row]:
    for trial in analysis.trials:
        yield {
            "trial": trial.id, "host": trial.host, "treatment": dict(trial.treatment),
            "repetition": trial.repetition, "attempt": trial.attempt, "outcome": trial.outcome,
            "why": trial.why, "started_at": _at(trial.started_at),
        }  # fmt: skip


def _steps(analysis: Analysis) -> Iterable[Row]:
    for trial in analysis.trials:
        for step in trial.steps:
            numbers, texts = _numbers(step)
            yield {
                "trial": trial.id, "treatment": dict(trial.treatment),
                "repetition": trial.repetition, "step": step.name, "position": step.index,
                "connections": step.connections, "start_s": step.start_s, "end_s": step.end_s,
                "outcome": step.outcome, "numbers": numbers, "texts": texts,
            }  # fmt: skip


def _numbers(step: Step) -> tuple[dict[str, float], dict[str, str]]:
    known = {name: value for name, value in step.numbers.items() if value is not None}
    return (
        {name: float(value) for name, value in known.items() if not isinstance(value, str)},
        {name: value for name, value in known.items() if isinstance(value, str)},
    )


def _estimates(analysis: Analysis) -> Iterable[Row]:
    for item in analysis.estimates:
        low, high = item.interval or (None, None)
        yield {
            "metric": item.metric, "unit": base_name(item.unit), "shown_in": item.unit,
            "treatment": dict(item.treatment),
            "step": item.step, "n": item.n, "estimate": item.median, "low": low, "high": high,
            "level": item.level, "values": list(item.values), "why": item.why,
        }  # fmt: skip


def _claims(analysis: Analysis) -> Iterable[Row]:
    for claim in analysis.claims:
        low, high = claim.interval or (None, None)
        yield {
            "claim": claim.id, "section": claim.section, "quote": claim.quote,
            "published": claim.published, "verdict": claim.verdict, "reason": claim.reason,
            "estimate": claim.estimate, "unit": base_name(claim.unit), "shown_in": claim.unit,
            "low": low, "high": high,
            "n": claim.n, "required": claim.required,
        }  # fmt: skip
