"""Which share of a metric's repetitions is at or below a value: a staircase for each level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.report.figure_kinds.interface import Drawing
from runner.report.figures import parts, scale
from runner.report.figures.panel import LEFT, RIGHT
from runner.report.figures.points import arranged, legend
from runner.report.figures.svg import SERIES, Canvas, fit
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.report.figure_kinds.interface import Asked, Shown

TOP: Final = 62.0
PANEL: Final = 170.0
GAP: Final = 78.0
_SHARES: Final = tuple((share / 100, f"{share}\N{THIN SPACE}%") for share in (0, 25, 50, 75, 100))

Stairs = dict[str, list[float]]
"""Values in rising order, by what a staircase shows."""


class Cdf:
    """A panel for each unit; a staircase for each metric, place and other treatment."""

    name = "cdf"
    doc = "share of the repetitions at or below each value, for the steps or levels of a factor"

    def draw(self, asked: Asked, shown: Shown) -> Iterator[Drawing]:
        """Give one drawing, where a staircase has two steps at least."""
        panels = _panels(asked, shown)
        if any(len(values) > 1 for stairs in panels.values() for values in stairs.values()):
            yield Drawing("", _drawn(asked, panels))


def _panels(asked: Asked, shown: Shown) -> dict[str, Stairs]:
    names, panels = arranged(asked.show, asked.over, shown.analysis.estimates)
    return {
        unit: {
            f"{line} {asked.over}={name}": sorted(mark.value for mark in marks)
            for line, places in lines.items()
            for name, marks in zip(names, places, strict=True)
            if marks
        }
        for unit, lines in panels.items()
    }


def _drawn(asked: Asked, panels: Mapping[str, Stairs]) -> bytes:
    said = [
        f"{name}: {len(values)} repetitions from {units.amount(values[0], unit)} to "
        f"{units.amount(values[-1], unit)}"
        for unit, stairs in panels.items()
        for name, values in stairs.items()
    ]
    height = TOP + len(panels) * (PANEL + GAP) - 24
    canvas = Canvas(height, fit(asked.title, 700, 14), "; ".join(said) + ".")
    for at, (unit, stairs) in enumerate(panels.items()):
        top = TOP + at * (PANEL + GAP)
        legend(canvas, list(stairs), top - 9)
        _panel(canvas, (top, top + PANEL), stairs, unit)
    return canvas.bytes()


def _panel(canvas: Canvas, pixels: tuple[float, float], stairs: Stairs, unit: str) -> None:
    """Draw staircases on one x axis of `unit`; `pixels` are top and bottom."""
    top, bottom = pixels
    values = [value for line in stairs.values() for value in line]
    shares = scale.Axis(0.0, 1.0, bottom, top, _SHARES)
    pad = (max(values) - min(values)) * 0.04
    x = scale.around((min(values) - pad, max(values) + pad), (LEFT, RIGHT), unit)
    parts.vertical(canvas, shares, LEFT, RIGHT, "share of repetitions")
    metrics = {name.split(" ")[0] for name in stairs}
    parts.horizontal(canvas, x, bottom, metrics.pop() if len(metrics) == 1 else "value")
    for line, colour in zip(stairs.values(), SERIES, strict=False):
        canvas.path([_stairs(line, x, shares)], f"s-{colour}")


def _stairs(
    values: Sequence[float], x: scale.Axis, shares: scale.Axis
) -> list[tuple[float, float]]:
    """Give a staircase that rises by 1/n at each value, from the left end to the right one."""
    at = [(x.start, shares.at(0.0))]
    for number, value in enumerate(values, 1):
        at += [(x.at(value), at[-1][1]), (x.at(value), shares.at(number / len(values)))]
    return [*at, (x.end, shares.at(1.0))]


KIND = Cdf()
