"""Throughput and p99 latency per step: every repetition a mark, a line through the medians."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from runner.report import units
from runner.report.figures import parts, scale
from runner.report.figures.svg import Canvas, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.analysis.model import Trial

LEFT, RIGHT, TOP = 86.0, 738.0, 62.0
PANEL, GAP = 150.0, 24.0
HEIGHT: Final = TOP + 2 * PANEL + GAP + 52
_LOG_FROM = 20.0


@dataclass(frozen=True)
class Mark:
    """One step of one trial."""

    value: float
    healthy: bool


def draw(trials: Sequence[Trial], label: str) -> bytes | None:
    """Draw the valid trials of one treatment; None with fewer than two steps that have numbers."""
    names = list(dict.fromkeys(step.name for trial in trials for step in trial.steps))
    rates = _marks(trials, names, "load.rps")
    tails = _marks(trials, names, "load.latency_p99")
    if len(names) < 2 or sum(map(bool, rates)) < 2:
        return None
    canvas = Canvas(HEIGHT, f"Throughput and p99 latency{label}", _described(names, rates, tails))
    _legend(canvas, rates)
    slot = (RIGHT - LEFT) / len(names)
    middles = [LEFT + slot * (i + 0.5) for i in range(len(names))]
    _panel(canvas, (TOP, TOP + PANEL), rates, middles, ("throughput", "1/s", "c0"))
    low = TOP + PANEL + GAP
    _panel(canvas, (low, low + PANEL), tails, middles, ("p99 latency", "s", "c1"))
    for name, x in zip(names, middles, strict=True):
        canvas.text(x, low + PANEL + 17, fit(name, slot - 4, 11), "m f-soft", anchor="middle")
    plain = all(name.isdigit() for name in names)
    text = "step (connections)" if plain else "step"
    canvas.text((LEFT + RIGHT) / 2, low + PANEL + 36, text, "f-soft", anchor="middle")
    return canvas.bytes()


def _marks(trials: Sequence[Trial], names: Sequence[str], key: str) -> list[list[Mark]]:
    found: list[list[Mark]] = [[] for _ in names]
    for trial in trials:
        for step in trial.steps:
            value = step.numbers.get(key)
            if isinstance(value, int | float) and step.outcome in {"healthy", "unhealthy"}:
                mark = Mark(float(value), step.outcome == "healthy")
                found[names.index(step.name)].append(mark)
    return found


def _panel(
    canvas: Canvas,
    pixels: tuple[float, float],
    marks: Sequence[Sequence[Mark]],
    middles: Sequence[float],
    named: tuple[str, str, str],
) -> None:
    top, bottom = pixels
    values = [mark.value for step in marks for mark in step]
    label, unit, colour = named
    if not values:
        at = ((LEFT + RIGHT) / 2, (top + bottom) / 2)
        canvas.text(*at, f"{label}: not measured", "f-soft", anchor="middle")
        return
    above = [value for value in values if value > 0]
    if unit == "s" and len(above) == len(values) and max(values) > min(values) * _LOG_FROM:
        axis = scale.logarithmic(above, (bottom, top), unit)
        label += ", log scale"
    else:
        axis = scale.linear((0.0, max(values)), (bottom, top), unit)
    parts.vertical(canvas, axis, LEFT, RIGHT, label)
    canvas.line((LEFT, bottom), (RIGHT, bottom), "s-axis")
    medians: list[list[tuple[float, float]]] = [[]]
    for step, x in zip(marks, middles, strict=True):
        if step:
            medians[-1].append((x, axis.at(median(mark.value for mark in step))))
        else:
            medians.append([])
    canvas.path(medians, f"s-{colour}", width=1.6)
    for step, x in zip(marks, middles, strict=True):
        # repetitions side by side in their order: equal values are seen apart
        apart = min(9.0, 60.0 / max(1, len(step)))
        for i, mark in enumerate(step):
            at = (x + (i - (len(step) - 1) / 2) * apart, axis.at(mark.value))
            if mark.healthy:
                canvas.dot(at, f"f-{colour}", 4.2)
            else:
                canvas.cross(at, f"s-{colour}", 4.0)


def _legend(canvas: Canvas, rates: Sequence[Sequence[Mark]]) -> None:
    y = 46.0
    canvas.dot((LEFT + 5, y - 4), "f-soft", 4.2)
    canvas.text(LEFT + 15, y, "healthy", "m f-soft")
    canvas.cross((LEFT + 75, y - 4), "s-soft", 4.0)
    canvas.text(LEFT + 85, y, "not healthy", "m f-soft")
    if any(len(step) > 1 for step in rates):
        canvas.path([[(LEFT + 164, y - 4), (LEFT + 182, y - 4)]], "s-soft", width=1.6)
        canvas.text(LEFT + 188, y, "through the medians of the repetitions", "m f-soft")


def _described(
    names: Sequence[str], rates: Sequence[Sequence[Mark]], tails: Sequence[Sequence[Mark]]
) -> str:
    def shown(step: Sequence[Mark], show: Callable[[float], str]) -> str:
        return show(median(mark.value for mark in step)) if step else units.NONE

    each = [
        f"{name}: {shown(rate, units.rate)} requests/s, p99 {shown(tail, units.duration)}"
        for name, rate, tail in zip(names, rates, tails, strict=True)
    ]
    return "; ".join(each) + "."
