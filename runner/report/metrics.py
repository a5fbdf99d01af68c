"""Estimates of the metrics, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report import markdown, units, words
from runner.report.markdown import Md, code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Estimate


def table(estimates: Sequence[Estimate]) -> Md | None:
    """Give a row per metric and cell; columns that nothing fills are left out."""
    if not estimates:
        return None
    treated = any(e.treatment for e in estimates)
    stepped = any(e.step is not None for e in estimates)
    head = ["metric", *(["treatment"] if treated else []), *(["step"] if stepped else [])]
    left = len(head)
    head += ["median", "interval", "level", "n", ""]
    rows = []
    for found in estimates:
        row: list[object] = [code(found.metric)]
        row += [words.treatment(found.treatment) or "–"] if treated else []
        row += [found.step if found.step is not None else "–"] if stepped else []
        row.append(units.amount(found.median, found.unit))
        row.append(units.interval(found.interval, found.unit))
        row.append(units.percent(found.level))
        rows.append([*row, found.n, found.why])
    align = "l" * left + "rrrrl"
    if not any(e.why for e in estimates):
        head, align, rows = head[:-1], align[:-1], [row[:-1] for row in rows]
    return markdown.table(head, rows, align)
