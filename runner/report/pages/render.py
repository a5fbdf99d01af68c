"""The record of a run → its Markdown report and figures. The same record, the same bytes.

No clock, no host, no environment: what the page shows is in its arguments. The
words stand in `templates/report/`, the sentences and cells are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from runner import resources_path
from runner.analysis.trial.steady import RULE
from runner.report.conduct import noise, replication
from runner.report.figures import choice
from runner.report.format import markdown, words
from runner.report.sections import (
    atlas,
    baseline,
    bisect,
    boards,
    changed,
    claims,
    environment,
    metrics,
    outcomes,
    repeated,
    searches,
    selection,
    steps,
    summary,
    trials,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis
    from runner.records.changes import CellChange
    from runner.records.manifest import Manifest
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment

REPORT = "report.md"


@dataclass(frozen=True)
class Report:
    """A report: its Markdown, and the files it shows, by path beside it."""

    markdown: str
    files: dict[str, bytes]

    def all_files(self) -> dict[str, bytes]:
        """Give everything to write under `artifacts/`."""
        return {REPORT: self.markdown.encode(), **self.files}


def render(
    manifest: Manifest,
    experiment: Experiment,
    facts: Mapping[str, Mapping[str, Json]],
    changes: Sequence[CellChange],
    analysis: Analysis,
) -> Report:
    """Render a run's report.

    `manifest` is run.json, `experiment` what was run, `facts` by host, `changes`
    the results of converge and restore.
    """
    files, shown = choice.draw(experiment, analysis)
    ordered = steps.in_order(analysis.trials, experiment)
    view = {
        "title": experiment.title or experiment.name,
        "asked": summary.paragraph(experiment),
        "description": markdown.escape(experiment.description, 4000),
        "state": summary.state(manifest),
        "emulated": markdown.join(environment.emulated(facts)),
        "summary": summary.summary(analysis),
        "warnings": summary.warnings(manifest, facts, changes, analysis),
        "environment": environment.tables(facts, manifest.environment),
        "bisect": bisect.view(manifest, _unit(analysis, manifest)),
        "boards": boards.table(manifest, facts, analysis),
        "spreads": boards.spreads(analysis),
        "deaths": boards.deaths(manifest),
        "builds": environment.builds(manifest),
        "tools": environment.tools(manifest),
        "changes": changed.table(changes),
        "repeated": repeated.summary(ordered) if not analysis.search else None,
        "steps": steps.tables(ordered),
        "broken": steps.broken(analysis.trials),
        "unsteady": steps.unsteady(analysis.trials),
        "steady_rule": markdown.escape(RULE),
        "step_reasons": steps.reasons(analysis.trials),
        "search": searches.view(analysis.search),
        "figures": shown,
        "atlas_unknown": atlas.UNKNOWN,
        "metrics": metrics.table(analysis.estimates, experiment),
        "printed": metrics.how_made(analysis.trials, experiment.metrics),
        "counted": outcomes.counted(analysis.estimates, experiment.metrics),
        "outcomes": None if analysis.search else outcomes.table(analysis.trials),
        "against": baseline.table(analysis, experiment),
        "against_foot": baseline.foot(),
        "validity": replication.validity(manifest, analysis.trials),
        "levels": replication.table(analysis),
        "levels_foot": replication.foot(analysis),
        "tables": metrics.asked_tables(analysis.estimates, experiment),
        "claims_table": claims.table(analysis.claims),
        "claims": claims.sections(analysis.claims, shown, manifest),
        "sampler": trials.sampler(analysis.trials, analysis.series),
        "attempts": trials.attempts(analysis.trials, manifest),
        "guards": trials.guards(analysis.trials),
        "noise": noise.table(analysis.trials),
        "thrown": selection.table(analysis.trials),
        "repeat": summary.repeat(manifest, experiment),
        "record": summary.record(manifest),
        "notes": summary.notes(experiment, analysis),
    }
    text = _environment().get_template(f"report/{REPORT}.j2").render(view)
    return Report(_tidy(text), files)


def _unit(analysis: Analysis, manifest: Manifest) -> str:
    """Give the unit that a bisected metric is shown in."""
    name = manifest.bisect.metric if manifest.bisect else ""
    return next((one.unit for one in analysis.estimates if one.metric == name), "")


@cache
def _environment() -> SandboxedEnvironment:
    sandbox = SandboxedEnvironment(
        loader=FileSystemLoader(resources_path.templates(), encoding="utf-8"),
        undefined=StrictUndefined,
        finalize=markdown.finalize,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    sandbox.filters |= {"code": markdown.code, "outcome": words.outcome, "verdict": words.verdict}
    return sandbox


def _tidy(text: str) -> str:
    """One empty line between blocks, none at the ends, no blanks before a line's end."""
    lines: list[str] = []
    for line in text.splitlines():
        stripped = line.rstrip()
        if stripped or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).strip("\n") + "\n"
