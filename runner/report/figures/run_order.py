"""A claim's values in the order in which they were measured: does the order matter."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from runner.report.figures import parts, scale
from runner.report.figures.svg import Canvas, fit

if TYPE_CHECKING:
    from runner.analysis.model import ClaimResult

LEFT, RIGHT = 86.0, 738.0
TOP, BOTTOM = 50.0, 170.0
HEIGHT: Final = 224.0
FEWEST: Final = 6
"""Values under which no order is looked at."""


def draw(claim: ClaimResult) -> bytes | None:
    """Draw the values by their position; None where no order was looked at."""
    if not claim.run_order or len(claim.values) < FEWEST:
        return None
    canvas = Canvas(HEIGHT, fit(f"Claim {claim.id} in run order", 640, 14), claim.run_order)
    low, high = min(claim.values), max(claim.values)
    pad = (high - low) * 0.1 or abs(high) * 0.05 or 1.0
    y = scale.around((low - pad, high + pad), (BOTTOM, TOP), claim.unit)
    x = scale.linear((1.0, float(len(claim.values))), (LEFT + 14, RIGHT - 14), "1")
    parts.vertical(canvas, y, LEFT, RIGHT, y.unit or "value")
    points = [(x.at(at), y.at(value)) for at, value in enumerate(claim.values, 1)]
    for one, other in itertools.pairwise(points):
        canvas.line(one, other, "s-grid")
    for point in points:
        canvas.dot(point, "f-c0", 4.2)
    parts.horizontal(canvas, x, BOTTOM, "position in the order of measuring")
    return canvas.bytes()
