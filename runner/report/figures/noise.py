"""A strip of noise: a bar for each trial in the order in which they began, a row for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.report.conduct import noise
from runner.report.figures.svg import Canvas
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Trial

LEFT, RIGHT = 196.0, 664.0
TOP, ROW, GAP = 44.0, 26.0, 12.0
FEWEST: Final = 2
"""Trials of which a strip says something."""
MOST: Final = 400
"""Trials that have a bar of their own."""


def draw(trials: Sequence[Trial]) -> bytes | None:
    """Draw the strip; None where nothing was measured, or of one trial."""
    found = [one for one in noise.measured(trials) if one.worst is not None]
    if not found or not FEWEST <= len(trials) <= MOST:
        return None
    height = TOP + len(found) * (ROW + GAP) + 22
    told = "; ".join(f"{one.words}: at worst {_most(one)}" for one in found)
    canvas = Canvas(height, "Noise of the host by trial", f"In the order of measuring. {told}.")
    wide = (RIGHT - LEFT) / len(trials)
    for at, one in enumerate(found):
        bottom = TOP + at * (ROW + GAP) + ROW
        canvas.text(LEFT - 10, bottom - 8, one.words, "m f-soft", anchor="end")
        canvas.text(RIGHT + 10, bottom - 8, _most(one), "m f-soft")
        canvas.line((LEFT, bottom), (RIGHT, bottom), "s-grid")
        top = max((value for value in one.values if value is not None), default=0.0) or 1.0
        for place, value in enumerate(one.values):
            if value is not None and value > 0:
                tall = max(1.0, ROW * value / top)
                x = LEFT + place * wide
                canvas.rect(x, bottom - tall, max(0.6, wide - min(2.0, wide / 4)), tall, "f-c0")
    canvas.text(LEFT, height - 8, "trials in the order of measuring", "m f-soft")
    return canvas.bytes()


def _most(one: noise.Measured) -> str:
    most = max((value for value in one.values if value is not None), default=None)
    if most is None:
        return units.NONE
    return units.percent(most) if one.unit == "%" else units.amount(most, one.unit)
