"""P(healthy) against the level of a search: passes of trials, the fitted curve, its middle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from runner.report.figures import parts, scale
from runner.report.figures.svg import Canvas, text_width
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEFT, RIGHT, TOP, BOTTOM = 72.0, 736.0, 66.0, 276.0
HEIGHT: Final = 328.0

Level = tuple[float, int, int]
"""Level, healthy trials, trials."""


def draw(search: Mapping[str, Any]) -> bytes | None:
    """Draw a search's levels; None where fewer than two were tried.

    `search` is in the form of `runner.report.sections.searches.normal`.
    """
    levels = sorted(
        (float(i["level"]), int(i["passes"]), int(i["trials"]))
        for i in search.get("levels") or ()
        if i.get("trials")
    )
    if len({level for level, _, _ in levels}) < 2:
        return None
    what, unit = str(search.get("what") or "level"), _unit(search)
    shown = _window(search, levels)
    x = scale.levels(
        [level for level, _, _ in shown], (LEFT + 14, RIGHT - 14), "" if unit == "1" else unit
    )
    y = scale.Axis(
        0.0, 1.0, BOTTOM, TOP, tuple((v / 4, f"{v * 25} %") for v in range(5)), log=False
    )
    canvas = Canvas(HEIGHT, f"Health by {what}", _described(search, levels, what))
    interval, half = search.get("interval"), search.get("half")
    if interval and None not in interval:
        a, b = x.at(float(interval[0])), x.at(float(interval[1]))
        canvas.rect(a, TOP, max(2.0, b - a), BOTTOM - TOP, "f-region")
    parts.vertical(canvas, y, LEFT, RIGHT, "share of healthy trials")
    parts.horizontal(canvas, x, BOTTOM, what)
    curve = [(float(level), float(p)) for level, p in search.get("curve") or ()]
    inside = [(level, p) for level, p in sorted(curve) if x.low <= level <= x.high]
    canvas.path([[(x.at(level), y.at(p)) for level, p in inside]], "s-c0", width=2)
    if half is not None:
        at = x.at(float(half))
        canvas.line((at, TOP), (at, BOTTOM), "s-regionedge", width=1.4, dash="5 3")
        middle = units.count(round(float(half), 1)) if unit == "1" else units.amount(half, unit)
        text = f"½ at {middle}"
        if interval and None not in interval:
            text += f" ({units.interval((float(interval[0]), float(interval[1])), unit)})"
        anchor, shift = ("end", -8) if at > (LEFT + RIGHT) / 2 else ("start", 8)
        canvas.text(at + shift, TOP - 8, text, "b f-regionedge", anchor=anchor)
    _points(canvas, shown, x, y)
    legend = "healthy/trials at each level"
    if len(shown) < len(levels):
        legend += f"; {len(levels) - len(shown)} levels farther away are in the table"
    canvas.text(RIGHT, 25, legend, "m f-soft", anchor="end")
    return canvas.bytes()


def _unit(search: Mapping[str, Any]) -> str:
    """Sizes are shown in their unit, all other levels as counts."""
    return "B" if search.get("unit") == "B" else "1"


def _window(search: Mapping[str, Any], levels: Sequence[Level]) -> list[Level]:
    """Keep the levels about the middle: far ones, all healthy or none, would press them flat."""
    half = search.get("half")
    if half is None:
        return list(levels)
    ends = [float(half), *(float(e) for e in search.get("interval") or () if e is not None)]
    ends += [level for level, passes, trials in levels if 0 < passes < trials]
    low, high = min(ends), max(ends)
    room = max(high - low, 0.04 * abs(high))
    kept = [item for item in levels if low - room <= item[0] <= high + room]
    return kept if len(kept) >= 3 else list(levels)


def _points(canvas: Canvas, levels: Sequence[Level], x: scale.Axis, y: scale.Axis) -> None:
    most = max(trials for _, _, trials in levels)
    labelled: list[tuple[float, float, float]] = []
    for level, passes, trials in levels:
        share = passes / trials
        at = (x.at(level), y.at(share))
        radius = 3.0 + 5.0 * math.sqrt(trials / most)
        canvas.dot(at, "f-c1", radius)
        text = f"{passes}/{trials}"
        width = text_width(text, 11)
        # health falls with the level: left of a high mark and right of a low one is not a curve
        if share in {0.0, 1.0}:
            spot = (at[0], at[1] + (20.0 if share else -12.0))
        else:
            side = radius + 5 + width / 2
            spot = (at[0] + (-side if share > 0.5 else side), at[1] + 4)
        if all(_apart(spot, width, other) for other in labelled):
            labelled.append((*spot, width))
            canvas.text(*spot, text, "m f-ink", anchor="middle", clear=True)


def _apart(spot: tuple[float, float], width: float, other: tuple[float, float, float]) -> bool:
    across = abs(spot[0] - other[0]) > (other[2] + width) / 2 + 4
    return across or abs(spot[1] - other[1]) > 13


def _described(search: Mapping[str, Any], levels: Sequence[Level], what: str) -> str:
    unit = _unit(search)

    def shown(level: float) -> str:
        return units.count(level) if unit == "1" else units.amount(level, unit)

    each = ", ".join(f"{passes} of {trials} at {shown(lv)}" for lv, passes, trials in levels)
    half = search.get("half")
    middle = f" P(healthy) is one half at {shown(half)} {what}." if half is not None else ""
    return f"Healthy trials: {each}.{middle}"
