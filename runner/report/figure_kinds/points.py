"""Metrics over steps or the levels of a factor: a point for each repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.figure_kinds.interface import Drawing
from runner.report.figures import points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.report.figure_kinds.interface import Asked, Shown


class Points:
    """A panel for each unit, a line for each metric and other treatment."""

    name = "points"
    doc = "metrics over the steps or the levels of a factor"

    def draw(self, asked: Asked, shown: Shown) -> Iterator[Drawing]:
        """Give one drawing, where at least two places have numbers."""
        svg = points.draw(asked, shown.analysis.estimates)
        if svg is not None:
            yield Drawing("", svg)


KIND = Points()
