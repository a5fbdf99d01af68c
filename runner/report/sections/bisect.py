"""Which commit made a metric worse: the answer, and what was measured of each commit."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from runner.records.manifest import Bisected, Commit, Manifest


def answer(found: Bisected) -> str:
    """Say it in one sentence of plain text."""
    many = f"{len(found.sequence)} values of {len({at for at, _ in found.sequence})} commits"
    if found.first is None or found.last is None:
        return f"no answer yet, after {many}"
    if found.last < found.first:
        return f"nothing to find: {found.why}, after {many}"
    sure = f"{100 * (found.confidence or 0):.1f} % sure, by {many}"
    first, last = found.commits[found.first], found.commits[found.last]
    if found.first == found.last:
        return f"{_named(first)} made {found.metric} worse ({sure})"
    which = f"one of {found.last - found.first + 1} commits, {_named(first)} to {_named(last)},"
    return f"{which} made {found.metric} worse ({sure}; {found.why})"


def _named(commit: Commit) -> str:
    return f"{commit.hash[:12]} “{commit.subject}”" if commit.subject else commit.hash[:12]


def view(manifest: Manifest, unit: str) -> dict[str, Md | None] | None:
    """Give the answer and the table of commits; None for a run that is not a bisection."""
    found = manifest.bisect
    if found is None:
        return None
    values: dict[int, list[float]] = {}
    for at, value in found.sequence:
        values.setdefault(at, []).append(value)
    rows = []
    for at in sorted({*values, *map(int, found.skipped)}):
        own, commit = values.get(at, []), found.commits[at]
        middle = units.amount(statistics.median(own), unit) if own else "–"
        rows.append([at, code(commit.hash[:12]), escape(commit.subject, 80), middle, len(own),
                     escape(found.skipped.get(str(at), ""), 160)])  # fmt: skip
    head = ["", "commit", "subject", found.metric, "n", "stepped over"]
    left = len(found.commits) - len(rows)
    note = f"{words.plural(left, 'commit')} between them had not to be measured." if left else ""
    return {
        "answer": escape(answer(found)[:1].upper() + answer(found)[1:] + ".", 1000),
        "table": markdown.table(head, rows, "rllrrl") if rows else None,
        "left": Md(note),
    }
