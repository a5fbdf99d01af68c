"""Metrics over the runs of an experiment: estimate and interval of each, and where they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.report.figures import parts, scale
from runner.report.figures.panel import LEFT, RIGHT, middles
from runner.report.figures.svg import Canvas, fit
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.data.history import Series

TOP: Final = 62.0
PANEL, GAP = 150.0, 58.0
MOST_LABELS: Final = 12
"""Runs that are named on the axis; of more every second, third, … is."""


def shown(value: float | None, unit: str) -> str:
    """A value in its unit, as reports write it."""
    return units.amount(value, unit)


def draw(found: Sequence[Series]) -> bytes:
    """Draw a panel for each series, oldest run at the left; SVG bytes."""
    height = TOP + max(1, len(found)) * (PANEL + GAP) + 8
    title = f"{found[0].experiment} over its runs" if found else "no runs"
    canvas = Canvas(height, fit(title, 700, 14), "; ".join(map(_described, found)) or "no runs")
    for i, series in enumerate(found):
        top = TOP + i * (PANEL + GAP)
        canvas.text(LEFT, top - 8, fit(series.name, RIGHT - LEFT, 12), "f-ink")
        _panel(canvas, series, top)
    return canvas.bytes()


def _panel(canvas: Canvas, series: Series, top: float) -> None:
    bottom, points = top + PANEL, series.points
    values = [
        value
        for point in points
        for value in (point.estimate, point.low, point.high)
        if value is not None
    ]
    axis = scale.linear((min(0.0, *values), max(0.0, *values)), (bottom, top), series.unit)
    parts.vertical(canvas, axis, LEFT, RIGHT, series.metric)
    canvas.line((LEFT, bottom), (RIGHT, bottom), "s-axis")
    places = middles(len(points))
    half = (RIGHT - LEFT) / len(points) / 2
    for change in series.changes:
        x = places[change.at] - half
        canvas.line((x, top), (x, bottom), "s-limit", dash="4 3")
        text = f"{change.ratio:.3g} ×" if change.ratio is not None else "changed"
        canvas.text(x + 4, top + 12, text, "m f-limit")
    canvas.path([[(x, axis.at(p.estimate)) for x, p in zip(places, points, strict=True)]], "s-c0",
                width=1.4)  # fmt: skip
    every = -(-len(points) // MOST_LABELS)
    for index, (x, point) in enumerate(zip(places, points, strict=True)):
        if point.low is not None and point.high is not None:
            canvas.line((x, axis.at(point.low)), (x, axis.at(point.high)), "s-c0", width=2.2)
        canvas.dot((x, axis.at(point.estimate)), "f-c0", 3.6)
        if index % every == 0:
            canvas.text(x, bottom + 16, point.started_at[2:10], "m f-soft", anchor="middle")
        if point.changed:  # another kernel, spec or runner from this run on
            canvas.text(x, bottom + 31, "▲", "m f-c1", anchor="middle")
    if any(point.changed for point in points):
        canvas.text(
            RIGHT, bottom + 31, "▲ the environment or the spec changed", "m f-c1", anchor="end"
        )


def _described(series: Series) -> str:
    first, last = series.points[0], series.points[-1]
    changes = ", ".join(series.points[change.at].run for change in series.changes) or "none"
    return (
        f"{series.name}: {len(series.points)} runs, {shown(first.estimate, series.unit)} at first, "
        f"{shown(last.estimate, series.unit)} at last; changes at {changes}"
    )
