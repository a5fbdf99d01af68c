"""Metrics that a spec wants drawn, over steps or over the levels of a factor."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from runner.report.figures import panel
from runner.report.figures.panel import LEFT, RIGHT, Mark, Places
from runner.report.figures.svg import SERIES, Canvas, fit, text_width
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Estimate
    from runner.report.figure_kinds.interface import Asked

TOP: Final = 62.0
PANEL, GAP = 150.0, 34.0

Lines = dict[str, Places]
"""Marks at each place, by what a line shows."""


def draw(asked: Asked, estimates: Sequence[Estimate], *, boxes: bool = False) -> bytes | None:
    """Draw metrics over `step` or a factor: a panel per unit, a line per metric and treatment.

    None where fewer than two places have numbers. With `boxes` the quartiles stand for the line.
    """
    over = asked.over
    names, panels = arranged(asked.show, over, estimates)
    filled = {
        i
        for lines in panels.values()
        for places in lines.values()
        for i, marks in enumerate(places)
        if marks
    }
    if len(filled) < 2:
        return None
    height = TOP + len(panels) * (PANEL + GAP) + 18
    canvas = Canvas(height, fit(asked.title, 700, 14), _described(panels, names))
    bottom = TOP
    for i, (unit, lines) in enumerate(panels.items()):
        top = TOP + i * (PANEL + GAP)
        bottom = top + PANEL
        coloured = list(zip(lines, lines.values(), SERIES, strict=False))
        legend(canvas, list(lines), top - 9)
        metrics = {name.split(" ")[0] for name in lines}
        label = metrics.pop() if len(metrics) == 1 else "value"
        drawn = [(places, colour) for _, places, colour in coloured]
        panel.draw(canvas, (top, bottom), drawn, label, unit, boxes=boxes)
    slot = (RIGHT - LEFT) / len(names)
    for name, x in zip(names, panel.middles(len(names)), strict=True):
        canvas.text(x, bottom + 17, fit(name, slot - 4, 11), "m f-soft", anchor="middle")
    canvas.text((LEFT + RIGHT) / 2, bottom + 36, over, "f-soft", anchor="middle")
    return canvas.bytes()


def arranged(
    show: Sequence[str],
    over: str,
    estimates: Sequence[Estimate],
) -> tuple[list[str], dict[str, Lines]]:
    """Give the places on the x axis, and by unit the lines over them."""
    there = [(e, at) for e in estimates if e.metric in show and (at := _place(e, over))]
    there.sort(key=lambda pair: show.index(pair[0].metric))
    names = list(dict.fromkeys(at for _, at in there))
    panels: dict[str, Lines] = {}
    for estimate, at in there:
        lines = panels.setdefault(estimate.unit, {})
        places = lines.setdefault(_label(estimate, over), [[] for _ in names])
        places[names.index(at)] += [Mark(v) for v in estimate.values if v is not None]
    return names, panels


def _place(estimate: Estimate, over: str) -> str | None:
    return estimate.step if over == "step" else estimate.treatment.get(over)


def _label(estimate: Estimate, over: str) -> str:
    """Name a line: the metric, and whatever else it is held at."""
    held = [f"{k}={v}" for k, v in estimate.treatment.items() if k != over]
    if over != "step" and estimate.step is not None:
        held.append(f"step={estimate.step}")
    return " ".join([estimate.metric, *held])


def legend(canvas: Canvas, names: Sequence[str], y: float) -> None:
    """Name lines side by side, each in its colour; say how many more there are than colours."""
    x = LEFT
    more = len(names) - len(SERIES)
    width = (RIGHT - LEFT) / max(1, min(len(names), len(SERIES)) + (more > 0)) - 24
    for name, colour in zip(names, SERIES, strict=False):
        text = fit(name, width, 11)
        canvas.dot((x + 5, y - 4), f"f-{colour}", 4.2)
        canvas.text(x + 15, y, text, f"m f-{colour}")
        x += text_width(text, 11) + 34
    if more > 0:
        canvas.text(x, y, f"and {more} more, not drawn", "m f-soft")


def _described(panels: Mapping[str, Lines], names: Sequence[str]) -> str:
    said = []
    for unit, lines in panels.items():
        for line, places in lines.items():
            each = [
                f"{name} {units.amount(median(m.value for m in marks), unit)}"
                for name, marks in zip(names, places, strict=True)
                if marks
            ]
            said.append(f"{line}: {', '.join(each)}")
    return "; ".join(said) + "."
