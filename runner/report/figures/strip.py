"""A claim: each repetition a mark, the interval, and the published range with its margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from runner.report.figures import parts, scale
from runner.report.figures.svg import Canvas, fit, text_width
from runner.report.format import units, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import ClaimResult

LEFT, RIGHT = 128.0, 736.0
TOP, BOTTOM = 62.0, 150.0
HEIGHT: Final = 202.0
_MARKS_Y, _INTERVAL_Y = 90.0, 128.0
_RADIUS = 4.6


def draw(claim: ClaimResult) -> bytes | None:
    """Draw a claim's repetitions; None where nothing was measured."""
    if not claim.values and claim.estimate is None:
        return None
    x = scale.around(_range(claim), (LEFT, RIGHT), claim.unit)
    title = f"Claim {claim.id}: published {claim.published}"
    canvas = Canvas(HEIGHT, fit(title, 540, 14), _described(claim))
    verdict = words.verdict(claim.verdict)
    canvas.text(RIGHT, 25, verdict, "b f-soft", anchor="end")
    _region(canvas, claim, x)
    for value, _ in x.ticks:
        canvas.line((x.at(value), TOP), (x.at(value), BOTTOM), "s-grid")
    _edges(canvas, claim, x)
    canvas.text(LEFT - 12, _MARKS_Y + 4, f"repetitions (n = {claim.n})", "m f-soft", anchor="end")
    for value, lift in _stacked(claim.values, x):
        canvas.dot((x.at(value), _MARKS_Y - lift), "f-c0", _RADIUS)
    if claim.interval is not None:
        a, b = x.at(claim.interval[0]), x.at(claim.interval[1])
        canvas.line((a, _INTERVAL_Y), (b, _INTERVAL_Y), "s-ink", width=2)
        for end in (a, b):
            canvas.line((end, _INTERVAL_Y - 5), (end, _INTERVAL_Y + 5), "s-ink", width=2)
        canvas.text(LEFT - 12, _INTERVAL_Y + 4, "estimate, interval", "m f-soft", anchor="end")
        if claim.of:
            canvas.text(LEFT - 12, _INTERVAL_Y + 17, claim.of, "m f-soft", anchor="end")
    elif claim.estimate is not None:
        canvas.text(LEFT - 12, _INTERVAL_Y + 4, "estimate", "m f-soft", anchor="end")
    if claim.estimate is not None:
        canvas.dot((x.at(claim.estimate), _INTERVAL_Y), "f-ink", 5)
    parts.horizontal(canvas, x, BOTTOM, x.unit or "value")
    return canvas.bytes()


def _range(claim: ClaimResult) -> tuple[float, float]:
    """Span everything that is shown, with a little room."""
    ends = [
        *claim.values,
        *(claim.interval or ()),
        *(e for e in claim.region or () if e is not None),
    ]
    ends += [claim.estimate] if claim.estimate is not None else []
    low, high = min(ends), max(ends)
    pad = (high - low) * 0.07 or abs(high) * 0.05 or 1.0
    return (max(0.0, low - pad) if low >= 0 else low - pad), high + pad


def _region(canvas: Canvas, claim: ClaimResult, x: scale.Axis) -> None:
    if claim.region is None or claim.region == (None, None):
        return
    low, high = claim.region
    a = x.start if low is None else x.at(low)
    b = x.end if high is None else x.at(high)
    # a range of one value is a line: it gets a width that can be seen
    canvas.rect(min(a, b - 2), TOP, max(2.0, b - a), BOTTOM - TOP, "f-region")


def _edges(canvas: Canvas, claim: ClaimResult, x: scale.Axis) -> None:
    if claim.region is None or claim.region == (None, None):
        return
    low, high = claim.region
    ends = [x.at(end) for end in (low, high) if end is not None]
    for end in ends:
        canvas.line((end, TOP), (end, BOTTOM), "s-regionedge", width=1.4)
    said = "the statement holds" if claim.of else "published, with margin"
    text = f"{said}: {units.interval(claim.region, claim.unit)}"
    half = text_width(text, 11) / 2
    middle = ((x.start if low is None else x.at(low)) + (x.end if high is None else x.at(high))) / 2
    at = min(max(middle, LEFT + half), RIGHT - half)
    canvas.text(at, TOP - 7, text, "m f-regionedge", anchor="middle")


def _stacked(values: Sequence[float], x: scale.Axis) -> list[tuple[float, float]]:
    """Lift marks that would cover each other, alternately up and down."""
    found: list[tuple[float, float]] = []
    taken: list[tuple[float, float]] = []
    for value in sorted(values):
        at = x.at(value)
        for i in range(9):
            lift = math.ceil(i / 2) * _RADIUS * 1.7 * (1 if i % 2 else -1)
            if all(math.hypot(at - px, lift - pl) >= _RADIUS * 1.6 for px, pl in taken[-24:]):
                break
        else:
            lift = 0.0
        taken.append((at, lift))
        found.append((value, lift))
    return found


def _described(claim: ClaimResult) -> str:
    return (
        f"Measured {units.amount(claim.estimate, claim.unit)}, "
        f"interval {units.interval(claim.interval, claim.unit)}, n = {claim.n}; "
        f"published with margin {units.interval(claim.region, claim.unit)}. "
        f"Verdict: {claim.verdict}."
    )
