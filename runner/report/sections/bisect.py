"""Which commit made a metric worse: the answer, and what was measured of each commit."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from runner.records.manifest import Bisected, Commit, Manifest


def answer(bisected: Bisected) -> str:
    """Say it in one sentence of plain text."""
    many = f"{len(bisected.sequence)} values of {len({at for at, _ in bisected.sequence})} commits"
    if bisected.first is None or bisected.last is None:
        return f"no answer yet, after {many}"
    if bisected.last < bisected.first:
        return f"nothing to find: {bisected.why}, after {many}"
    sure = f"{100 * (bisected.confidence or 0):.1f} % sure, by {many}"
    first, last = bisected.commits[bisected.first], bisected.commits[bisected.last]
    if bisected.first == bisected.last:
        return f"{_named(first)} made {bisected.metric} worse ({sure})"
    which = (
        f"one of {bisected.last - bisected.first + 1} commits, {_named(first)} to {_named(last)},"
    )
    return f"{which} made {bisected.metric} worse ({sure}; {bisected.why})"


def _named(commit: Commit) -> str:
    return f"{commit.hash[:12]} “{commit.subject}”" if commit.subject else commit.hash[:12]


def view(manifest: Manifest, unit: str) -> dict[str, Md | None] | None:
    """Give the answer and the table of commits; None for a run that is not a bisection."""
    bisected = manifest.bisect
    if bisected is None:
        return None
    values: dict[int, list[float]] = {}
    for at, value in bisected.sequence:
        values.setdefault(at, []).append(value)
    rows = []
    for at in sorted({*values, *map(int, bisected.skipped)}):
        own, commit = values.get(at, []), bisected.commits[at]
        middle = units.amount(statistics.median(own), unit) if own else "–"
        rows.append([at, code(commit.hash[:12]), escape(commit.subject, 80), middle, len(own),
                     escape(bisected.skipped.get(str(at), ""), 160)])  # fmt: skip
    head = ["", "commit", "subject", bisected.metric, "n", "stepped over"]
    left = len(bisected.commits) - len(rows)
    note = f"{words.plural(left, 'commit')} between them had not to be measured." if left else ""
    return {
        "answer": escape(answer(bisected)[:1].upper() + answer(bisected)[1:] + ".", 1000),
        "table": markdown.table(head, rows, "rllrrl") if rows else None,
        "left": Md(note),
    }
