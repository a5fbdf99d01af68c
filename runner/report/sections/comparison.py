"""A comparison as text, Markdown and plain data."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Final

from runner.analysis.runs.compared import ALPHA
from runner.records.units import base_name
from runner.report.format import markdown, units, words

if TYPE_CHECKING:
    from runner.analysis.runs.compared import Comparison, Row

MARKS: Final = {
    "better": "✓ better",
    "worse": "✗ worse",
    "changed": "≠ changed",
    "equivalent": "= equivalent",
    "undecided": "? undecided",
    "not comparable": "– not comparable",
}
HEAD: Final = (
    "metric", "where", "a", "b", "b / a", "90 % interval", "p", "p (all)", "n", "result",
)  # fmt: skip


def data(comparison: Comparison) -> dict[str, object]:
    """Plain data for `--json`."""
    return {
        "a": comparison.a,
        "b": comparison.b,
        "threshold": comparison.threshold,
        "alpha": ALPHA,
        "tests": comparison.tests,
        "environment": [{"name": n, "a": x, "b": y} for n, x, y in comparison.environment],
        "regressions": len(comparison.regressions),
        # numbers are in base units, and are shown in the metric's
        "rows": [
            {**dataclasses.asdict(row), "unit": base_name(row.unit), "shown_in": row.unit}
            for row in comparison.rows
        ],
        "only_on_one_side": list(comparison.only),
        "notes": list(comparison.notes),
    }


def cells(row: Row) -> list[str]:
    """Cells of one row, as text."""
    interval = ""
    if row.ratio_interval is not None:
        interval = " … ".join(f"{x:.3f}" for x in row.ratio_interval)
    return [
        row.metric,
        words.treatment(row.where),
        *(
            (shown or units.amount(median, row.unit))
            + (
                f" [{units.interval(bounds, row.unit)}]"
                if bounds and bounds[0] != bounds[1]
                else ""
            )
            for median, bounds, shown in zip(row.median, row.interval, row.shown, strict=True)
        ),
        "" if row.ratio is None else f"{row.ratio:.3f}",
        interval or units.NONE,
        units.NONE if row.p is None else f"{row.p:.3g}",
        units.NONE if row.p_adjusted is None else f"{row.p_adjusted:.3g}",
        f"{row.n[0]}+{row.n[1]}",
        MARKS[row.outcome] + (f" ({row.why})" if row.why else ""),
    ]


def summary(comparison: Comparison) -> str:
    """Count the results in a sentence."""
    counted = Counter(row.outcome for row in comparison.rows)
    counts = ", ".join(f"{counted[name]} {name}" for name in MARKS if name in counted)
    return f"{words.plural(len(comparison.rows), 'metric')}: {counts or 'nothing in common'}"


def foot(comparison: Comparison) -> str:
    """Say how the results are to be read."""
    text = (
        f"Equivalent: the 90 % interval of b / a lies within 1/{1 + comparison.threshold:g} and "
        f"{1 + comparison.threshold:g}. Better and worse: p ≤ {ALPHA:g}"
    )
    if comparison.tests > 1:
        text += f" among {comparison.tests} tests (permutation, max-T)"
    ratios = " or ".join(dict.fromkeys(row.ratio_of for row in comparison.rows if row.ratio_of))
    if ratios:
        text += f". b / a is the {ratios}, which need not be the ratio of the medians"
    return f"{text}. Intervals of the two sides are 90 % of the median."


def page(comparison: Comparison) -> str:
    """Give the comparison as Markdown: environment first, then regressions."""
    parts = [
        f"# {markdown.escape(comparison.a)} → {markdown.escape(comparison.b)}",
        summary(comparison) + ".",
    ]
    parts.append("## What differs beside the numbers")
    if comparison.environment:
        rows = [[markdown.code(name), x, y] for name, x, y in comparison.environment]
        parts.append(markdown.table(["what", "a", "b"], rows, "lll"))
    else:
        parts.append("Nothing that was recorded.")
    parts.append("## Metrics")
    if comparison.rows:
        parts.append(markdown.table(HEAD, [cells(row) for row in comparison.rows], "llrrrrrrrl"))
    if comparison.only:
        parts.append(f"On one side only: {markdown.join(comparison.only)}.")
    parts += [f"{markdown.escape(note[:1].upper() + note[1:])}." for note in comparison.notes]
    parts.append(foot(comparison))
    return "\n\n".join(parts) + "\n"


def text(comparison: Comparison) -> str:
    """Give the comparison for a terminal."""
    lines = [f"a: {comparison.a}", f"b: {comparison.b}"]
    if comparison.environment:
        lines.append("differs beside the numbers:")
        lines += [f"  {name}: {x} → {y}" for name, x, y in comparison.environment]
    table = [list(HEAD), *(cells(row) for row in comparison.rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEAD))]
    lines += [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    if comparison.only:
        lines.append(f"on one side only: {', '.join(comparison.only)}")
    return "\n".join([*lines, summary(comparison), *comparison.notes, foot(comparison)])
