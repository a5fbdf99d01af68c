"""A forest plot: the ratio of each treatment to the baseline, its interval, and a line at 1.

Ratios lie on a logarithmic axis, on which twice and half are equally far from 1.
Source: Lewis and Clarke 2001, "Forest plots: trying to see the wood and the trees", BMJ 322,
1479-1480.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.report.figures import parts, scale
from runner.report.figures.svg import Canvas, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

LEFT, RIGHT = 300.0, 606.0
TOP, ROW = 62.0, 24.0
MOST: Final = 40
"""Ratios that are drawn; the table beside it has all."""
PAD: Final = 1.06
COLOURS: Final = {"better": "c2", "worse": "limit"}


@dataclass(frozen=True)
class Ratio:
    """One metric of a treatment over that of the baseline."""

    metric: str
    where: str
    ratio: float | None
    interval: tuple[float, float] | None
    outcome: str
    mark: str
    """The outcome in words: colour alone says nothing."""


def draw(rows: Sequence[Ratio], title: str) -> bytes | None:
    """Draw a line for each ratio; None where there is none above 0."""
    known = [row for row in rows if row.ratio is not None and _drawable(row.ratio)]
    if not known:
        return None
    drawn = known[:MOST]
    bottom = TOP + ROW * len(drawn)
    told = "; ".join(f"{row.metric}, {row.where}: {_number(row)} {row.mark}" for row in drawn)
    canvas = Canvas(bottom + 46, title, f"Ratio to the baseline with its 90 % interval. {told}.")
    axis = _axis(drawn)
    for value, _ in axis.ticks:
        canvas.line((axis.at(value), TOP), (axis.at(value), bottom), "s-grid")
    canvas.line((axis.at(1.0), TOP - 8), (axis.at(1.0), bottom), "s-ink", width=1.4)
    canvas.text(axis.at(1.0), TOP - 13, "baseline", "m f-soft", anchor="middle")
    for number, row in enumerate(drawn):
        _row(canvas, axis, row, TOP + ROW * (number + 0.5))
    more = f"; {len(known) - MOST} more in the table" if len(known) > MOST else ""
    parts.horizontal(canvas, axis, bottom, f"ratio to the baseline, log scale{more}")
    return canvas.bytes()


def _row(canvas: Canvas, axis: scale.Axis, row: Ratio, y: float) -> None:
    colour = COLOURS.get(row.outcome, "c0")
    canvas.text(LEFT - 12, y + 4, fit(f"{row.metric} · {row.where}", LEFT - 28, 11), "m f-ink",
                anchor="end")  # fmt: skip
    if row.interval is not None:
        low, high = (axis.at(max(end, axis.low)) for end in row.interval)
        canvas.line((low, y), (high, y), f"s-{colour}", width=2)
        for end, value in zip((low, high), row.interval, strict=True):
            if axis.low <= value <= axis.high:  # one that goes on has no end here
                canvas.line((end, y - 4), (end, y + 4), f"s-{colour}", width=2)
    if row.ratio is not None:
        canvas.dot((axis.at(row.ratio), y), f"f-{colour}", 4.6)
    canvas.text(RIGHT + 12, y + 4, f"{_number(row)} {row.mark}", "m f-soft")


def _axis(rows: Sequence[Ratio]) -> scale.Axis:
    """Span all ratios, 1 and the ends of the intervals, as far as those can be drawn."""
    ratios = [row.ratio for row in rows if row.ratio is not None]
    ends = [end for row in rows for end in row.interval or () if _drawable(end)]
    # an end that is a thousandfold away would leave no room for what is near 1
    reach = 10 * max(*ratios, 1 / min(ratios))
    values = [1.0, *ratios, *(end for end in ends if 1 / reach <= end <= reach)]
    low, high = min(values) / PAD, max(values) * PAD
    ticks = _ticks(low, high)
    return scale.Axis(low, high, LEFT, RIGHT, ticks, log=True)


def _ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Give about five round ratios: linear steps near 1, parts of decades over a wide span."""
    if high / low < 8:
        return scale.around((low, high), (LEFT, RIGHT), "1").ticks
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = (1.0, 2.0, 5.0) if high / low < 100 else (1.0,)
    found = [mark * 10.0**power for power in decades for mark in marks]
    within = [value for value in found if low <= value <= high]
    every = max(1, math.ceil(len(within) / 8))
    return tuple((value, f"{value:g}") for value in within[::every])


def _drawable(value: float) -> bool:
    return math.isfinite(value) and 1e-12 < value < 1e12


def _number(row: Ratio) -> str:
    return "" if row.ratio is None else f"{row.ratio:.3f}"
