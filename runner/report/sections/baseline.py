"""The difference first: each treatment against the baseline, as a ratio with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.analysis.runs.compared import ALPHA, THRESHOLD
from runner.analysis.runs.comparison import compare
from runner.analysis.runs.side import Side
from runner.report.figures.forest import Ratio
from runner.report.format import markdown, units, words
from runner.report.sections.comparison import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.analysis.model import Analysis
    from runner.analysis.runs.compared import Row
    from runner.report.format.markdown import Md
    from runner.spec.experiment import Experiment

HEAD: Final = ("metric", "treatment", "baseline", "this", "ratio", "90 % interval", "n", "")
MOST: Final = 24
"""Treatments that are compared; a larger matrix is read from its table."""


def table(analysis: Analysis, experiment: Experiment) -> Md | None:
    """Give a row for each metric and treatment beside the baseline; None without a baseline."""
    rows = [
        [
            markdown.code(row.metric),
            _where(levels, row),
            *(
                shown or units.amount(value, row.unit)
                for value, shown in zip(row.median, row.shown, strict=True)
            ),
            units.NONE if row.ratio is None else f"{row.ratio:.3f}",
            " … ".join(f"{x:.3f}" for x in row.ratio_interval or ()) or units.NONE,
            f"{row.n[0]}+{row.n[1]}",
            MARKS[row.outcome] + (f" ({row.why})" if row.why else ""),
        ]
        for levels, row in _rows(analysis, experiment)
    ]
    return markdown.table(HEAD, rows, "llrrrrrl") if rows else None


def ratios(analysis: Analysis, experiment: Experiment) -> list[Ratio]:
    """Give the same rows for a figure."""
    return [
        Ratio(row.metric, _where(levels, row), row.ratio, row.ratio_interval, row.outcome,
              MARKS[row.outcome])
        for levels, row in _rows(analysis, experiment)
    ]  # fmt: skip


def _where(levels: Mapping[str, str], row: Row) -> str:
    return words.treatment(levels) + (f", {row.where['step']}" if "step" in row.where else "")


def foot() -> str:
    """Say how the table is to be read."""
    return (
        f"Ratios are of values paired within blocks, and need not be those of the medians. "
        f"Better, worse, changed: p ≤ {ALPHA:g} among all metrics of a treatment (exact "
        f"permutation, max-T); equivalent: the interval lies within {THRESHOLD:.0%} of 1."
    )


def _rows(analysis: Analysis, experiment: Experiment) -> Iterator[tuple[dict[str, str], Row]]:
    baseline, metrics = experiment.baseline, experiment.metrics
    cells: dict[tuple[tuple[str, str], ...], None] = {}
    for estimate in analysis.estimates:
        cells.setdefault(tuple(estimate.treatment.items()))
    if not baseline or len(cells) > MOST:
        return
    for cell in cells:
        levels = dict(cell)
        base = {**levels, **baseline}
        if base == levels or tuple(base.items()) not in cells:
            continue
        left, right = (
            Side(name, analysis, where, {}, experiment, "one")
            for name, where in (("baseline", base), ("this", levels))
        )
        order = {name: number for number, name in enumerate(metrics)}
        found_rows = compare(left, right).rows
        for row in sorted(found_rows, key=lambda row: order.get(row.metric, len(order))):
            yield levels, row
