"""What all figures share: grids, axis labels, lines with gaps, labels that do not collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.figures.svg import text_width
from runner.report.format.words import SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.analysis.model import Step
    from runner.report.figures.scale import Axis
    from runner.report.figures.svg import Canvas, Point


def horizontal(canvas: Canvas, axis: Axis, y: float, label: str) -> None:
    """Draw an x axis at `y` with ticks, labels and its name below."""
    canvas.line((axis.start, y), (axis.end, y), "s-axis")
    for value, text in axis.ticks:
        x = axis.at(value)
        canvas.line((x, y), (x, y + 4), "s-axis")
        canvas.text(x, y + 17, text, "m f-soft", anchor="middle")
    canvas.text((axis.start + axis.end) / 2, y + 35, _named(label, axis), "f-soft", anchor="middle")


def vertical(canvas: Canvas, axis: Axis, left: float, right: float, label: str) -> None:
    """Draw a y axis's grid from `left` to `right`, its labels and its name upright."""
    for value, text in axis.ticks:
        y = axis.at(value)
        canvas.line((left, y), (right, y), "s-grid")
        canvas.text(left - 7, y + 4, text, "m f-soft", anchor="end")
    canvas.upright(20, (axis.start + axis.end) / 2, _named(label, axis), "f-soft")


def _named(label: str, axis: Axis) -> str:
    return f"{label} ({axis.unit})" if axis.unit and axis.unit != label else label


def shade(
    canvas: Canvas, step: Step, x: Axis, pixels: tuple[float, float], *, named: bool = True
) -> None:
    """Draw a step behind a panel from `pixels[0]` to `pixels[1]`, its outcome and name above."""
    top, bottom = pixels
    left, right = x.at(step.start_s), x.at(step.end_s)
    bad = step.outcome not in {"healthy", ""}
    canvas.rect(left, top, right - left, bottom - top, "f-bad" if bad else "f-band")
    mark = f"{SIGNS.get(step.outcome, '')} {step.name}"
    width = right - left - 4
    if text_width(mark, 11) > width:
        mark = SIGNS.get(step.outcome, "") if width >= 10 else ""
    if mark and named:
        css = f"m f-{'limit' if bad else 'soft'}"
        canvas.text((left + right) / 2, top - 7, mark, css, anchor="middle")


def pieces(
    t: Sequence[float], v: Sequence[float | None], x: Axis, y: Axis, pixels: float = 2.0
) -> list[list[Point]]:
    """Make lines of a series, cut where values are missing.

    Of each `pixels` wide stretch the first, lowest, highest and last value are
    drawn: no peak is lost, and twelve hours are no larger than a minute.
    """
    found: list[list[Point]] = []
    bucket: list[Point] = []
    column = -1
    line: list[Point] = []
    for now, value in zip(t, v, strict=True):
        if value is None:
            line += _extremes(bucket)
            bucket, column = [], -1
            if line:
                found.append(line)
            line = []
            continue
        point = (x.at(now), y.at(value))
        here = int(point[0] / pixels)
        if here != column:
            line += _extremes(bucket)
            bucket, column = [], here
        bucket.append(point)
    line += _extremes(bucket)
    return [*found, line] if line else found


def _extremes(bucket: list[Point]) -> list[Point]:
    if len(bucket) <= 2:
        return bucket
    low = min(range(len(bucket)), key=lambda i: bucket[i][1])
    high = max(range(len(bucket)), key=lambda i: bucket[i][1])
    return [bucket[i] for i in sorted({0, low, high, len(bucket) - 1})]


def spread(wanted: Iterable[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart by at least `gap`, in the order given by their wish."""
    wishes = list(wanted)
    order = sorted(range(len(wishes)), key=lambda i: (wishes[i], i))
    placed = [0.0] * len(wishes)
    last = low - gap
    for i in order:
        last = placed[i] = max(wishes[i], last + gap)
    over = last - high
    limit = high
    for i in reversed(order):
        if over <= 0 or placed[i] <= limit:
            break
        placed[i] = limit
        limit -= gap
    return placed
