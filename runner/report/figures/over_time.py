"""Sampled sources over the time of one trial, a panel per unit, the steps behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.figures import parts, scale
from runner.report.figures.svg import SERIES, Canvas, fit, text_width
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Series, Trial

LEFT, RIGHT, TOP = 86.0, 738.0, 78.0
PANEL, GAP = 130.0, 36.0


def draw(trial: Trial, series: Sequence[Series], title: str) -> bytes | None:
    """Draw these lines of one trial; None where there is none with a value."""
    lines = [line for line in series if any(v is not None for v in line.v)]
    if not lines:
        return None
    panels: dict[str, list[tuple[Series, str]]] = {}
    for line in lines:
        drawn = panels.setdefault(line.unit, [])
        drawn.append((line, SERIES[len(drawn) % len(SERIES)]))
    last = max([line.t[-1] for line in lines] + [step.end_s for step in trial.steps])
    x = scale.clock(last, (LEFT, RIGHT))
    canvas = Canvas(TOP + len(panels) * (PANEL + GAP) + 20, fit(title, 700, 14), _described(lines))
    bottom = TOP
    for i, (unit, drawn) in enumerate(panels.items()):
        top = TOP + i * (PANEL + GAP)
        bottom = top + PANEL
        for step in trial.steps:
            parts.shade(canvas, step, x, (top, bottom), named=i == 0)
        values = [v for line, _ in drawn for v in line.v if v is not None]
        y = scale.linear((min(0.0, *values), max(values)), (bottom, top), unit, count=4)
        parts.vertical(canvas, y, LEFT, RIGHT, y.unit)
        canvas.line((LEFT, bottom), (RIGHT, bottom), "s-axis")
        at = LEFT
        for line, colour in drawn:
            canvas.path(parts.pieces(line.t, line.v, x, y), f"s-{colour}")
            canvas.dot((at + 5, top - 25 if i == 0 else top - 11), f"f-{colour}", 4.0)
            canvas.text(at + 15, (top - 21) if i == 0 else top - 7, line.name, f"m f-{colour}")
            at += text_width(line.name, 11) + 34
    parts.horizontal(canvas, x, bottom, "time since the start of the trial")
    return canvas.bytes()


def _described(lines: Sequence[Series]) -> str:
    said = []
    for line in lines:
        known = [v for v in line.v if v is not None]
        low, high = (units.amount(f(known), line.unit) for f in (min, max))
        said.append(f"{line.name} {low} to {high}")
    return "; ".join(said) + "."
