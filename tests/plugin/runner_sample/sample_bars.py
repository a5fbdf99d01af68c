"""sample_bars: a bar for each estimate, in as little SVG as there can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.figure_kinds.interface import Drawing
from runner.report.figures.svg import Canvas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.report.figure_kinds.interface import Asked, Shown


class SampleBars:
    """Bars of medians."""

    name = "sample_bars"
    doc = "a bar for each estimate, for tests"

    def draw(self, asked: Asked, shown: Shown) -> Iterator[Drawing]:
        """Give one drawing of all estimates that were asked for."""
        values = [e.median for e in shown.analysis.estimates if e.metric in asked.show]
        if not values:
            return
        canvas = Canvas(100, asked.title, "bars")
        for at, value in enumerate(values):
            canvas.text(90, 60 + 14 * at, "absent" if value is None else f"{value:g}", "f-soft")
        yield Drawing("", canvas.bytes())


KIND = SampleBars()
