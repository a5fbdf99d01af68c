"""The memory atlas as a figure: areas by address, what is in memory, and the group's limit.

On the left each area folded into a strip, the arena into cells by what lies there. On the
right the same areas end to end by what of them is in memory, up to the limit's line.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from runner.kinds.sources.atlas import PARTS
from runner.kinds.sources.maps import CLASSES
from runner.report.figures import scale
from runner.report.figures.svg import Canvas, text_width
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS: Final[dict[str, tuple[str, str]]] = {
    "objects": ("#0065b3", "#58a6ff"),
    "slots": ("#9ecbf0", "#1f4b7d"),
    "frames": ("#c75a00", "#f0a35a"),
    "stacks": ("#f3c596", "#7a4718"),
    "free": ("#8c959f", "#8b949e"),
    "absent": ("#e9edf1", "#21262d"),
    "text": ("#4f5bb5", "#8b97f0"),
    "rodata": ("#8d97da", "#5a65b8"),
    "data": ("#1d8a78", "#3fc79a"),
    "runtime": ("#9a3d80", "#e08cc8"),
    "library": ("#7a7f16", "#c3c84a"),
    "other": ("#6e7781", "#9198a1"),
    "anon": ("#57606a", "#9ea7b3"),
    "file": ("#b6bec8", "#59636e"),
    "kernel": ("#1f2328", "#f0f6fc"),
}
WORDS: Final = {
    "objects": "objects",
    "slots": "free slots beside them",
    "frames": "stack frames",
    "stacks": "rest of stacks",
    "free": "other, in memory",
    "absent": "not in memory",
}
CHARGED: Final = {"anon": "anonymous", "file": "file pages", "kernel": "kernel"}
LEFT, RIGHT = 178.0, 448.0
BARS, END = 484.0, 740.0
TOP: Final = 92.0
ROW: Final = 30.0
THICK: Final = 16.0
COLUMNS: Final = 80
CELL_HEIGHT: Final = 11.0

Row = tuple[str, list[list[object]]]
"""A class, and its neighbouring areas as in analysis.json."""


def draw(atlas: Mapping[str, Any], limit: int | None, label: str) -> bytes:
    """Draw the atlas of one step; `limit` in bytes, where the group has one."""
    rows = _rows(atlas["areas"])
    charged = _charged(atlas["kernel"])
    total = sum(_rss(areas) for _, areas in rows)
    top = max(total, limit or 0, sum(size for _, size in charged)) * 1.04
    x = scale.linear((0.0, float(top)), (BARS, END), "B", count=4)
    heights = [_height(name, atlas) for name, _ in rows]
    bottom = TOP + sum(heights) + (ROW + 8 if charged else 0)
    canvas = Canvas(
        bottom + 52, f"Memory by address: {label}", _described(rows, total, limit), palette=COLOURS
    )
    _legend(canvas)
    canvas.text(LEFT, TOP - 12, "accessible addresses, share in memory", "m f-soft")
    for value, _ in x.ticks:
        canvas.line((x.at(value), TOP - 4), (x.at(value), bottom), "s-grid")
    y, held = TOP, 0.0
    for (name, areas), height in zip(rows, heights, strict=True):
        _label(canvas, name, areas, y)
        if name == "arena":
            _cells(canvas, atlas["arena"], y)
        else:
            _strip(canvas, name, areas, y)
        held = _block(canvas, x, (name, areas), held, y, atlas, limit)
        y += height
    if charged:
        _group(canvas, x, charged, y + 8, limit)
    _axis(canvas, x, bottom)
    if limit is not None:
        at = x.at(limit)
        canvas.line((at, TOP - 8), (at, bottom), "s-limit", width=1.6, dash="6 4")
        text = f"limit {units.size(limit)}"
        end = "end" if at + text_width(text, 11) / 2 > END else "middle"
        canvas.text(min(at, END), TOP - 12, text, "m f-limit", anchor=end)
    return canvas.bytes()


def _rows(areas: Sequence[list[object]]) -> list[Row]:
    """Neighbours of one class share a row; what has nothing in memory has none."""
    grouped = ((name, list(found)) for name, found in groupby(areas, key=lambda one: one[2]))
    return [(name, found) for name, found in grouped if _rss(found)]


def _rss(areas: Sequence[list[Any]]) -> int:
    return sum(one[4] for one in areas)


def _height(name: str, atlas: Mapping[str, Any]) -> float:
    lines = -(-len(atlas["arena"]["cells"]) // COLUMNS)
    return max(ROW, lines * CELL_HEIGHT + 14) if name == "arena" else ROW


def _colour(name: str) -> str:
    # file and kernel are also classes of mappings; those colours are the group's
    return name if name in COLOURS and name not in CHARGED else "other"


def _label(canvas: Canvas, name: str, areas: Sequence[list[object]], y: float) -> None:
    canvas.text(LEFT - 10, y + 8, CLASSES[name], "b f-ink", anchor="end")
    canvas.text(LEFT - 10, y + 21, f"from 0x{areas[0][0]:x}", "m f-soft", anchor="end")


def _strip(canvas: Canvas, name: str, areas: Sequence[list[Any]], y: float) -> None:
    accessible = sum(one[1] - one[0] for one in areas if not one[3])
    width = RIGHT - LEFT
    canvas.rect(LEFT, y, width, THICK, "f-absent")
    canvas.rect(LEFT, y, width * min(1.0, _rss(areas) / accessible), THICK, f"f-{_colour(name)}")


def _cells(canvas: Canvas, arena: Mapping[str, Any], y: float) -> None:
    """Fill each cell from below by parts; one path for each colour keeps the file small."""
    width = (RIGHT - LEFT) / COLUMNS
    shapes: dict[str, list[tuple[float, float, float, float]]] = {}
    for at, cell in enumerate(arena["cells"]):
        left = LEFT + at % COLUMNS * width
        foot = y + (at // COLUMNS + 1) * CELL_HEIGHT - 1
        for name, share in zip((*PARTS, "absent"), cell, strict=True):
            height = share / 100 * (CELL_HEIGHT - 1)
            if height > 0:
                foot -= height
                shapes.setdefault(name, []).append((left, foot, width, height))
    for name, found in shapes.items():
        canvas.rects(found, f"f-{name}")


def _block(
    canvas: Canvas,
    x: scale.Axis,
    row: Row,
    held: float,
    y: float,
    atlas: Mapping[str, Any],
    limit: int | None,
) -> float:
    """Draw what of a row is in memory, behind what the rows above it have."""
    name, areas = row
    rss = _rss(areas)
    start = held
    resident = atlas["resident"] if name == "arena" else None
    for part, size in (resident or {name: rss}).items():
        # parts are counted from pagemap a moment apart from smaps: their sum is its sum
        share = rss * size / (sum(resident.values()) or 1) if resident else size
        canvas.rect(x.at(start), y, x.at(start + share) - x.at(start), THICK, f"f-{_colour(part)}")
        start += share
    _beside(canvas, x, (held, held + rss), y, limit)
    return held + rss


def _beside(
    canvas: Canvas, x: scale.Axis, block: tuple[float, float], y: float, limit: int | None
) -> None:
    """Write a block's size after it, or before it where the limit's line or the end is near."""
    text = units.size(block[1] - block[0])
    left, right = x.at(block[0]) - 5, x.at(block[1]) + 5
    wide = text_width(text, 11) + 3
    line = END if limit is None else x.at(limit)
    crossed = right - 5 <= line <= right + wide or right + wide > END
    if crossed and left - wide > BARS:
        canvas.text(left, y + 12, text, "m f-ink", anchor="end")
    else:
        beyond = line + 5 if crossed and line + wide < END else right
        canvas.text(beyond, y + 12, text, "m f-ink")


def _charged(kernel: Mapping[str, int]) -> list[tuple[str, int]]:
    """What the group is charged for, by kind."""
    return [(name, kernel[name]) for name in CHARGED if kernel.get(name)]


def _group(
    canvas: Canvas,
    x: scale.Axis,
    charged: Sequence[tuple[str, int]],
    y: float,
    limit: int | None,
) -> None:
    canvas.line((16, y - 6), (END, y - 6), "s-grid")
    canvas.text(LEFT - 10, y + 8, "charged to the group", "b f-ink", anchor="end")
    for number, (name, words) in enumerate(CHARGED.items()):
        left = LEFT + number * 92
        canvas.rect(left, y - 1, 10, 10, f"f-{name}")
        canvas.text(left + 15, y + 8, words, "m f-soft")
    at = 0.0
    for colour, size in charged:
        canvas.rect(x.at(at), y, x.at(at + size) - x.at(at), THICK, f"f-{colour}")
        at += size
    _beside(canvas, x, (0.0, at), y, limit)


def _axis(canvas: Canvas, x: scale.Axis, y: float) -> None:
    canvas.line((x.start, y), (x.end, y), "s-axis")
    for value, text in x.ticks:
        canvas.line((x.at(value), y), (x.at(value), y + 4), "s-axis")
        canvas.text(x.at(value), y + 17, text, "m f-soft", anchor="middle")
    name = f"in memory, end to end ({x.unit})"
    canvas.text((x.start + x.end) / 2, y + 35, name, "f-soft", anchor="middle")


def _legend(canvas: Canvas) -> None:
    at = 16.0
    for name, words in WORDS.items():
        canvas.rect(at, 42, 10, 10, f"f-{name}")
        canvas.text(at + 15, 51, words, "m f-ink")
        at += 15 + text_width(words, 11) + 14


def _described(rows: Sequence[Row], total: int, limit: int | None) -> str:
    said = [f"{CLASSES[name]} from 0x{areas[0][0]:x}: {units.size(_rss(areas))} in memory"
            for name, areas in rows]  # fmt: skip
    said.append(f"{units.size(total)} in all")
    if limit is not None:
        said.append(f"limit {units.size(limit)}")
    return "; ".join(said) + "."
