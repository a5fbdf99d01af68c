"""Sampled sources over the time of a trial: the first that counts of each treatment."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from runner.report.figure_kinds.interface import Drawing
from runner.report.figures import over_time
from runner.report.figures.labels import MOST, label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.report.figure_kinds.interface import Asked, Shown


class OverTime:
    """A panel for each unit, the steps behind."""

    name = "over_time"
    doc = "sampled sources over the time of a trial, one drawing a treatment"

    def draw(self, asked: Asked, shown: Shown) -> Iterator[Drawing]:
        """Give a drawing for each treatment that has samples."""
        for name, (trial, *_) in islice(shown.treatments.items(), MOST):
            lines = [
                line
                for line in shown.analysis.series
                if line.trial == trial.id and line.name in asked.show
            ]
            svg = over_time.draw(trial, lines, f"{asked.title}: {label(trial)}")
            if svg is not None:
                yield Drawing(name, svg)


KIND = OverTime()
