"""Marks over places on an x axis, a line through the medians of each place or its quartiles."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from runner.report.figures import parts, scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.report.figures.svg import Canvas

LEFT, RIGHT = 86.0, 738.0
LOG_FROM: Final = 20.0
"""Times that span more than this factor get a logarithmic axis."""


@dataclass(frozen=True)
class Mark:
    """One repetition at one place."""

    value: float
    healthy: bool = True


Places = list[list[Mark]]
"""Marks of each place, in the order of the repetitions."""


def middles(count: int) -> list[float]:
    """Give the x pixel of each of `count` places."""
    slot = (RIGHT - LEFT) / count
    return [LEFT + slot * (i + 0.5) for i in range(count)]


def draw(
    canvas: Canvas,
    pixels: tuple[float, float],
    lines: Sequence[tuple[Places, str]],
    label: str,
    unit: str,
    *,
    boxes: bool = False,
) -> None:
    """Draw lines of marks, each with its colour (`c0`), on one y axis of `unit`.

    `pixels` are top and bottom; every line has the same number of places.
    """
    top, bottom = pixels
    values = [mark.value for places, _ in lines for marks in places for mark in marks]
    if not values:
        at = ((LEFT + RIGHT) / 2, (top + bottom) / 2)
        canvas.text(*at, f"{label}: not measured", "f-soft", anchor="middle")
        return
    above = [value for value in values if value > 0]
    if scale.is_time(unit) and len(above) == len(values) and max(values) > min(values) * LOG_FROM:
        axis = scale.logarithmic(above, (bottom, top), unit)
        label += ", log scale"
    else:
        axis = scale.linear((min(0.0, *values), max(0.0, *values)), (bottom, top), unit)
    parts.vertical(canvas, axis, LEFT, RIGHT, label)
    canvas.line((LEFT, bottom), (RIGHT, bottom), "s-axis")
    for number, (places, colour) in enumerate(lines):
        xs = middles(len(places))
        if boxes:  # side by side: those of two lines at one place would hide each other
            slot = (RIGHT - LEFT) / len(places) / len(lines)
            xs = [x + (number - (len(lines) - 1) / 2) * slot for x in xs]
            _boxes(canvas, axis, list(zip(places, xs, strict=True)), colour, min(60.0, slot * 0.5))
        else:
            _line(canvas, axis, places, colour)
        _marks(canvas, axis, list(zip(places, xs, strict=True)), colour)


def _boxes(
    canvas: Canvas,
    axis: scale.Axis,
    places: Sequence[tuple[list[Mark], float]],
    colour: str,
    width: float,
) -> None:
    """Draw quartiles, and whiskers to the last value within 1.5 of their range (Tukey 1977)."""
    for marks, x in places:
        if len(marks) < 2:
            continue
        values = sorted(mark.value for mark in marks)
        low, middle, high = quantiles(values, n=4, method="inclusive")
        reach = 1.5 * (high - low)
        least = min(value for value in values if value >= low - reach)
        most = max(value for value in values if value <= high + reach)
        left, right = x - width / 2, x + width / 2
        y = {value: axis.at(value) for value in (least, low, middle, high, most)}
        canvas.rect(left, y[high], width, y[low] - y[high], "f-band")
        box = [(left, y[low]), (left, y[high]), (right, y[high]), (right, y[low]), (left, y[low])]
        whiskers = [[(x, y[low]), (x, y[least])], [(x, y[high]), (x, y[most])]]
        ends = [[(x - width / 4, y[end]), (x + width / 4, y[end])] for end in (least, most)]
        canvas.path([box, *whiskers, *ends], f"s-{colour}", width=1.4)
        canvas.path([[(left, y[middle]), (right, y[middle])]], f"s-{colour}", width=2.6)


def _line(canvas: Canvas, axis: scale.Axis, places: Places, colour: str) -> None:
    medians: list[list[tuple[float, float]]] = [[]]
    for marks, x in zip(places, middles(len(places)), strict=True):
        if marks:
            medians[-1].append((x, axis.at(median(mark.value for mark in marks))))
        else:
            medians.append([])
    canvas.path(medians, f"s-{colour}", width=1.6)


def _marks(
    canvas: Canvas, axis: scale.Axis, places: Sequence[tuple[list[Mark], float]], colour: str
) -> None:
    for marks, x in places:
        # repetitions side by side in their order: equal values are seen apart
        apart = min(9.0, 60.0 / max(1, len(marks)))
        for i, mark in enumerate(marks):
            at = (x + (i - (len(marks) - 1) / 2) * apart, axis.at(mark.value))
            if mark.healthy:
                canvas.dot(at, f"f-{colour}", 4.2)
            else:
                canvas.cross(at, f"s-{colour}", 4.0)
