"""Memory over time: what the process and its group hold, the limit, the steps behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.report.figures import parts, scale
from runner.report.figures.svg import SERIES, Canvas, fit
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Series, Trial

LEFT, TOP, BOTTOM = 64.0, 66.0, 296.0
RIGHT: Final = 640.0
HEIGHT: Final = 346.0
NAMES: Final = {"procfs.rss": "RSS", "cgroup.usage": "cgroup usage", "cgroup.anon": "anonymous"}
LIMIT: Final = "cgroup.limit"


def wanted(series: Sequence[Series]) -> list[Series]:
    """Pick the lines that are drawn: sizes, the best known ones first, at most four."""
    order = list(NAMES)
    # the limit is a line of its own
    sizes = [s for s in series if s.unit == "B" and s.name != LIMIT and _known(s)]
    return sorted(
        sizes, key=lambda s: (order.index(s.name) if s.name in order else len(order), s.name)
    )[: len(SERIES)]


def draw(trial: Trial, series: Sequence[Series], label: str) -> bytes | None:
    """Draw one trial; None where it has no line."""
    lines = wanted(series)
    if not lines:
        return None
    peak = max(_peak(line) for line in lines)
    limit = trial.limit_bytes or _read_back(series)
    # a limit far above would press the lines flat: it is said in words then
    drawn = limit is not None and limit <= peak * 4
    high = max(peak, limit or 0.0) * 1.04 if drawn else peak * 1.04
    last = max([line.t[-1] for line in lines] + [step.end_s for step in trial.steps])
    x = scale.clock(last, (LEFT, RIGHT))
    y = scale.linear((0.0, high), (BOTTOM, TOP), "B")
    canvas = Canvas(HEIGHT, f"Memory over time: {label}", _described(trial, lines, limit))
    for step in trial.steps:
        parts.shade(canvas, step, x, (TOP, BOTTOM))
    parts.vertical(canvas, y, LEFT, RIGHT, "memory")
    parts.horizontal(canvas, x, BOTTOM, "time since the start of the trial")
    for line, colour in zip(lines, SERIES, strict=False):
        canvas.path(parts.pieces(line.t, line.v, x, y), f"s-{colour}")
    labels: list[tuple[str, str, str]] = []
    wishes: list[float] = []
    if drawn and limit is not None:
        at = y.at(limit)
        canvas.line((LEFT, at), (RIGHT, at), "s-limit", width=1.6, dash="6 4")
        # first: it stands above what touches it
        labels.append(("limit", units.size(limit), "limit"))
        wishes.append(at)
    elif limit is not None:
        text = f"limit {units.size(limit)}, above this figure"
        canvas.text(RIGHT, 25, text, "m f-limit", anchor="end")
    for line, colour in zip(lines, SERIES, strict=False):
        labels.append((_name(line), f"max {units.size(_peak(line))}", colour))
        wishes.append(y.at(_last(line)))
    places = parts.spread(wishes, 28.0, TOP + 6, BOTTOM - 14)
    for (name, text, colour), wish, place in zip(labels, wishes, places, strict=True):
        if abs(place - wish) > 3:
            canvas.line((RIGHT + 1, wish), (RIGHT + 7, place), f"s-{colour}")
        canvas.text(RIGHT + 10, place + 1, fit(name, 100), f"b f-{colour}")
        canvas.text(RIGHT + 10, place + 14, text, f"m f-{colour}")
    return canvas.bytes()


def _known(line: Series) -> bool:
    return any(v is not None for v in line.v)


def _read_back(series: Sequence[Series]) -> int | None:
    """Give the limit that was read while the trial ran; a group without one has none."""
    found = [v for line in series if line.name == LIMIT for v in line.v if v is not None]
    return int(found[-1]) if found else None


def _name(line: Series) -> str:
    return NAMES.get(line.name, line.name)


def _peak(line: Series) -> float:
    return max(v for v in line.v if v is not None)


def _last(line: Series) -> float:
    return next(v for v in reversed(line.v) if v is not None)


def _described(trial: Trial, lines: Sequence[Series], limit: int | None) -> str:
    said = [f"{_name(line)} at most {units.size(_peak(line))}" for line in lines]
    if limit is not None:
        said.append(f"limit {units.size(limit)}")
    steps = ", ".join(f"{step.name} {step.outcome}" for step in trial.steps)
    return "; ".join(said) + (f". Steps: {steps}." if steps else ".")
