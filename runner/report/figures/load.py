"""Throughput and p99 latency per step: every repetition a mark, a line through the medians."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from runner.records.outcome import MEASURED
from runner.report.figures import panel
from runner.report.figures.panel import LEFT, RIGHT, Mark, Places
from runner.report.figures.svg import Canvas, fit
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.analysis.model import Trial

TOP: Final = 62.0
PANEL, GAP = 150.0, 24.0
HEIGHT: Final = TOP + 2 * PANEL + GAP + 52


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
    panel.draw(canvas, (TOP, TOP + PANEL), [(rates, "c0")], "throughput", "1/s")
    low = TOP + PANEL + GAP
    panel.draw(canvas, (low, low + PANEL), [(tails, "c1")], "p99 latency", "s")
    for name, x in zip(names, panel.middles(len(names)), strict=True):
        canvas.text(x, low + PANEL + 17, fit(name, slot - 4, 11), "m f-soft", anchor="middle")
    plain = all(name.isdigit() for name in names)
    text = "step (connections)" if plain else "step"
    canvas.text((LEFT + RIGHT) / 2, low + PANEL + 36, text, "f-soft", anchor="middle")
    return canvas.bytes()


def _marks(trials: Sequence[Trial], names: Sequence[str], key: str) -> Places:
    found: Places = [[] for _ in names]
    for trial in trials:
        for step in trial.steps:
            value = step.numbers.get(key)
            if isinstance(value, int | float) and step.outcome in MEASURED:
                mark = Mark(float(value), step.outcome == "healthy")
                found[names.index(step.name)].append(mark)
    return found


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
