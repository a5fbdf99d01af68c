"""Quartiles of a metric's repetitions at each step or level, beside every repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.figure_kinds.interface import Drawing
from runner.report.figures import points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.report.figure_kinds.interface import Asked, Shown


class Box:
    """A panel for each unit, a box for each metric, place and other treatment."""

    name = "box"
    doc = "quartiles of the repetitions over the steps or the levels of a factor, and each of them"

    def draw(self, asked: Asked, shown: Shown) -> Iterator[Drawing]:
        """Give one drawing, where at least two places have numbers."""
        svg = points.draw(asked, shown.analysis.estimates, boxes=True)
        if svg is not None:
            yield Drawing("", svg)


KIND = Box()
