"""A small SVG writer: shapes with classes, colours in one style sheet, numbers of one form.

The card is opaque and its colours follow `prefers-color-scheme`, so a figure is
legible wherever it is put: an image cannot see the page behind it.
"""

from __future__ import annotations

import unicodedata
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Point = tuple[float, float]

WIDTH: Final = 760.0

# name: (light, dark); series colours are told apart also with colour-blind eyes (Okabe and Ito)
PALETTE: Final[dict[str, tuple[str, str]]] = {
    "card": ("#ffffff", "#0d1117"),
    "edge": ("#d1d9e0", "#3d444d"),
    "ink": ("#1f2328", "#f0f6fc"),
    "soft": ("#59636e", "#9198a1"),
    "grid": ("#e6eaef", "#21262d"),
    "axis": ("#8c959f", "#656c76"),
    "band": ("#f3f6f9", "#161b22"),
    "bad": ("#fdecea", "#35171a"),
    "limit": ("#c5221f", "#ff7b72"),
    "region": ("#d7f0e3", "#12392a"),
    "regionedge": ("#1a7f4b", "#3fb97a"),
    "c0": ("#0065b3", "#58a6ff"),
    "c1": ("#c75a00", "#f0a35a"),
    "c2": ("#007a5a", "#3fc79a"),
    "c3": ("#9a3d80", "#e08cc8"),
}
SERIES: Final = ("c0", "c1", "c2", "c3")


def _style(more: Mapping[str, tuple[str, str]]) -> str:
    def rules(index: int) -> str:
        return "".join(
            f".f-{name}{{fill:{colours[index]}}}.s-{name}{{stroke:{colours[index]}}}"
            for name, colours in {**PALETTE, **more}.items()
        )

    fonts = "system-ui,-apple-system,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif"
    return (
        f"text{{font-family:{fonts};font-size:12px}}"
        ".t{font-size:14px;font-weight:600}.b{font-weight:600}.m{font-size:11px}"
        ".n{fill:none}.w{stroke-linejoin:round;stroke-linecap:round}"
        f"{rules(0)}@media (prefers-color-scheme:dark){{{rules(1)}}}"
    )


def number(value: float) -> str:
    """Coordinates to a tenth of a pixel; never -0, never an exponent."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def clean(text: object) -> str:
    """Text as XML: escaped, without what XML 1.0 or a reader's eye does not allow."""
    flat = " ".join(str(text).split())
    kept = (
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"} else "\ufffd"
        for c in flat
    )
    return escape("".join(kept), quote=True)


def text_width(text: object, size: float = 12.0) -> float:
    """Estimate a width in pixels: no font is at hand, so wide letters count fully."""
    wide = sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56 for c in str(text))
    return wide * size


def fit(text: str, width: float, size: float = 12.0) -> str:
    """Cut text that is wider than `width`, with an ellipsis."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…" if text else ""


class Canvas:
    """Shapes in the order they are drawn."""

    def __init__(
        self,
        height: float,
        title: str,
        description: str,
        width: float = WIDTH,
        palette: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> None:
        """Begin a figure; `palette` has colours of its own, by name, for light and dark."""
        self.width = width
        self.height = height
        self._parts: list[str] = []
        size = f"{number(width)} {number(height)}"
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'width="{number(width)}" height="{number(height)}" role="img" '
            'aria-labelledby="title desc">\n'
            f'<title id="title">{clean(title)}</title>\n'
            f'<desc id="desc">{clean(description)}</desc>\n'
            f"<style>{_style(palette)}</style>\n"
        )
        self._parts.append(
            f'<rect class="f-card s-edge" x="0.5" y="0.5" width="{number(width - 1)}" '
            f'height="{number(height - 1)}" rx="6"/>'
        )
        self.text(16, 25, fit(title, width - 32, 14), "t f-ink")

    def rect(self, x: float, y: float, width: float, height: float, css: str) -> None:
        """Fill an area."""
        if width > 0 and height > 0:
            self._parts.append(
                f'<rect class="{css}" x="{number(x)}" y="{number(y)}" '
                f'width="{number(width)}" height="{number(height)}"/>'
            )

    def rects(self, shapes: Iterable[tuple[float, float, float, float]], css: str) -> None:
        """Fill many areas (x, y, width, height) of one colour as one shape."""
        pieces = [
            f"M{number(x)},{number(y)}h{number(width)}v{number(height)}h{number(-width)}z"
            for x, y, width, height in shapes
        ]
        if pieces:
            self._parts.append(f'<path class="{css}" d="{"".join(pieces)}"/>')

    def line(self, a: Point, b: Point, css: str, *, width: float = 1.0, dash: str = "") -> None:
        """Draw a straight line."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line class="{css}" x1="{number(a[0])}" y1="{number(a[1])}" x2="{number(b[0])}" '
            f'y2="{number(b[1])}" stroke-width="{number(width)}"{dashed}/>'
        )

    def path(self, lines: Iterable[Sequence[Point]], css: str, *, width: float = 1.8) -> None:
        """Draw lines of points; a lone point becomes a dot, so that it is seen."""
        pieces = []
        for points in lines:
            if not points:
                continue
            shown = [f"{number(x)},{number(y)}" for x, y in points]
            tail = "L".join(shown[1:] or [shown[0]])
            pieces.append(f"M{shown[0]}L{tail}")
        if pieces:
            self._parts.append(
                f'<path class="n w {css}" stroke-width="{number(width)}" d="{"".join(pieces)}"/>'
            )

    def dot(self, at: Point, css: str, radius: float = 4.0) -> None:
        """Draw a filled circle with the card's colour around it, so that neighbours stay apart."""
        self._parts.append(
            f'<circle class="{css} s-card" cx="{number(at[0])}" cy="{number(at[1])}" '
            f'r="{number(radius)}" stroke-width="1"/>'
        )

    def cross(self, at: Point, css: str, radius: float = 4.0) -> None:
        """Draw an ×: what was not healthy."""
        x, y = at
        self.path(
            [
                [(x - radius, y - radius), (x + radius, y + radius)],
                [(x - radius, y + radius), (x + radius, y - radius)],
            ],
            css,
            width=2.2,
        )

    def text(
        self,
        x: float,
        y: float,
        text: object,
        css: str,
        *,
        anchor: str = "start",
        clear: bool = False,
    ) -> None:
        """Write text; `anchor` is start, middle or end. With `clear` no line runs through it."""
        at = f' text-anchor="{anchor}"' if anchor != "start" else ""
        if clear:
            css += " s-card"
            at += ' paint-order="stroke" stroke-width="4" stroke-linejoin="round"'
        self._parts.append(
            f'<text class="{css}" x="{number(x)}" y="{number(y)}"{at}>{clean(text)}</text>'
        )

    def upright(self, x: float, y: float, text: object, css: str) -> None:
        """Write text from below to above, its middle at the point."""
        self._parts.append(
            f'<text class="{css}" text-anchor="middle" '
            f'transform="translate({number(x)} {number(y)}) rotate(-90)">{clean(text)}</text>'
        )

    def bytes(self) -> bytes:
        """Give the whole file."""
        return (self._head + "\n".join(self._parts) + "\n</svg>\n").encode()
