"""What varied between the repetitions, and so for what the intervals are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Analysis, Trial
    from runner.records.manifest import Manifest

LEVELS: Final = (
    ("board", "host"), ("boot", "boot"), ("build", "build"), ("session", "session"),
)  # fmt: skip
"""Outermost first, with the part of a trial that tells its units apart."""
MOST: Final = 40
"""Rows of the table; analysis.json has all."""


def validity(manifest: Manifest, trials: Sequence[Trial]) -> list[Md]:
    """Say which levels varied and which did not; nothing of a run without a repetition."""
    if len({(trial.host, trial.session, trial.repetition) for trial in trials}) < 2:
        return []
    varied, fixed = [], []
    for name, part in LEVELS:
        seen = {getattr(trial, part) for trial in trials}
        if len(seen) > 1:
            varied.append(words.plural(len(seen), "layout" if name == "build" else name))
        elif seen != {""} or name == "build":
            fixed.append(f"one {name}")
    lines = []
    if varied:
        lines.append(Md(f"Between repetitions varied: {escape(', '.join(varied))}."))
    if fixed:
        lines.append(
            Md(f"Valid for {escape(_listed(fixed))}: the intervals say nothing of others.")
        )
    return [*lines, *_layouts(manifest)]


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _layouts(manifest: Manifest) -> list[Md]:
    """Say what a layout was: a link order, or only where the stack began."""
    laid = manifest.layouts.values()
    if not laid:
        return []
    if all(one.link is not None for one in laid):
        how = (
            f"each layout has a link order of its own ({code('-randlayout')}) and a size of the "
            "environment of its own"
        )
    else:
        how = (
            f"layouts differ in the size of the environment only: {code('-randlayout')} is of "
            "Go 1.23 and later, and this program was linked in one order"
        )
    return [Md(f"{how[0].upper()}{how[1:]}.")]


def table(analysis: Analysis) -> Md | None:
    """Give the spread of each level by metric; None where only repetitions varied."""
    if not analysis.spreads:
        return None
    treated = any(one.treatment for one in analysis.spreads)
    stepped = any(one.step is not None for one in analysis.spreads)
    rows = []
    for one in analysis.spreads[:MOST]:
        row: list[object] = [code(one.metric)]
        row += [words.treatment(one.treatment) or "–"] if treated else []
        row += [one.step if one.step is not None else "–"] if stepped else []
        share = abs(one.spread / one.median) if one.median else None
        rows.append(
            [*row, one.level, one.units, units.amount(one.spread, one.unit),
             units.interval(one.interval, one.unit), units.percent(share)]
        )  # fmt: skip
    head = ["metric", *(["treatment"] if treated else []), *(["step"] if stepped else [])]
    align = "l" * len(head) + "lrrrr"
    return markdown.table(
        [*head, "level", "units", "spread", "90 % interval", "of the median"], rows, align
    )


def foot(analysis: Analysis) -> str:
    """Say how the table is to be read, and what it leaves out."""
    more = len(analysis.spreads) - MOST
    said = (
        "Standard deviations that each level adds (nested random effects by unweighted means; "
        "intervals take normal effects). Levels that are named together varied together."
    )
    return f"{said} {more} more rows stand in analysis.json." if more > 0 else said
