"""A flame graph: what each stack holds, callers below. After Brendan Gregg, ACM Queue 14(2), 2016.

Width is bytes; order is by size and then by name, so that equal profiles are equal bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from runner.report.figures.svg import Canvas, fit, text_width
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS: Final[dict[str, tuple[str, str]]] = {
    "program": ("#ffcf99", "#7a4718"),
    "net": ("#b9d9f5", "#1f4b7d"),
    "std": ("#cfe8d8", "#1d5240"),
    "module": ("#ecd0e4", "#6b2d5a"),
    "runtime": ("#dfe3e8", "#3d444d"),
}
WORDS: Final = {
    "program": "the program",
    "net": "net",
    "std": "other standard library",
    "module": "modules",
    "runtime": "runtime",
}
LEFT, RIGHT = 16.0, 744.0
TOP: Final = 64.0
ROW: Final = 18.0
NARROW: Final = 1.0
"""Pixels below which a frame is not drawn."""


def draw(flame: Mapping[str, Any], label: str) -> bytes | None:
    """Draw a folded profile; None where it holds nothing."""
    if not flame["total"]:
        return None
    depth = _depth(flame["tree"])
    height = TOP + depth * ROW + 14
    total = units.size(flame["total"])
    canvas = Canvas(
        height, f"Heap by stack: {label}", f"{total} of live heap, by allocating stack.",
        palette=COLOURS,
    )  # fmt: skip
    at = LEFT
    for name, words in WORDS.items():
        canvas.rect(at, 40, 10, 10, f"f-{name}")
        canvas.text(at + 15, 49, words, "m f-ink")
        at += 15 + text_width(words, 11) + 16
    _frame(canvas, flame["tree"], (LEFT, RIGHT), TOP + (depth - 1) * ROW, f"live heap, {total}")
    return canvas.bytes()


def _depth(node: Sequence[Any]) -> int:
    return 1 + max((_depth(call) for call in node[2]), default=0)


def _frame(
    canvas: Canvas, node: Sequence[Any], place: tuple[float, float], y: float, text: str
) -> None:
    left, right = place
    width = right - left
    canvas.rect(left, y, max(width - 0.6, 0.4), ROW - 1, f"f-{kind(node[0])}")
    shown = fit(text, width - 8, 11)
    if len(shown) > 3:
        canvas.text(left + 4, y + 12.5, shown, "m f-ink")
    at = left
    for call in node[2]:
        wide = width * call[1] / node[1]
        if wide >= NARROW:
            name = f"{short(call[0])} {units.size(call[1])}"
            _frame(canvas, call, (at, at + wide), y - ROW, name)
        at += wide


def short(function: str) -> str:
    """`net/http.(*conn).serve` → `http.(*conn).serve`, also where a type argument has a path."""
    return re.sub(r"[\w.~-]+/", "", function)


def kind(function: str) -> str:
    """Say whose a function is, by its package's path."""
    package = re.split(r"\.(?=[^/]*$)", re.sub(r"[\[(].*", "", function))[0]
    package = package.rstrip(".")
    first = package.split("/", 1)[0]
    if first in {"main", "heap"}:
        return "program" if first == "main" else "runtime"
    if first == "runtime":
        return "runtime"
    if "." in first:
        return "module"
    return "net" if first == "net" else "std"
