"""The house as a picture of its import graph: `make docs-picture` writes docs/images/house.svg.

Floors are those of .importlinter, upper ones import lower ones. A line goes from each room to
each that it imports; its width grows with the number of imports.
"""

from __future__ import annotations

import configparser
import sys
from collections import Counter
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images" / "house.svg"
WIDTH, FLOOR, BOX, LEFT = 900, 62, 40, 20
STYLE = """\
text{font:13px system-ui,sans-serif;fill:#1d2733}.soft{font-size:11px;fill:#5b6875}
rect{fill:#eef2f6;stroke:#8a97a5}path{fill:none;stroke:#7a8896;opacity:.35}
@media (prefers-color-scheme:dark){text{fill:#e6ebf0}.soft{fill:#9aa7b4}
rect{fill:#232c36;stroke:#5b6875}path{stroke:#93a1af}}"""


def floors() -> list[list[str]]:
    """Rooms of each floor, the uppermost first, as the import contract has them."""
    read = configparser.ConfigParser()
    read.read(ROOT / ".importlinter")
    layers = read["importlinter:contract:layers"]["layers"].split("\n")
    return [[room.strip() for room in line.split("|")] for line in layers if line.strip()]


def drawn() -> str:
    """Give the SVG; the same bytes for the same sources."""
    rows = floors()
    graph = grimp.build_graph("runner", cache_dir=None)
    rooms = {room for row in rows for room in row}
    edges: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            pair = tuple(".".join(name.split(".")[:2]) for name in (module, other))
            if pair[0] != pair[1] and set(pair) <= rooms:
                edges[pair] += 1  # type: ignore[index]
    places = {}
    for at, row in enumerate(rows):
        width = (WIDTH - 2 * LEFT - 260) / len(row)
        for number, room in enumerate(row):
            places[room] = (LEFT + number * width, 40 + at * FLOOR, width - 12)
    height = 40 + len(rows) * FLOOR + 10
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>Floors of runner: upper ones import lower ones</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="24">upper floors import lower ones, never back</text>',
    ]
    for (upper, lower), many in sorted(edges.items()):
        (_, y, _), (_, to_y, _) = places[upper], places[lower]
        right = LEFT + WIDTH - 2 * LEFT - 260 - 12
        start, end = (right, y + BOX / 2), (right, to_y + BOX / 2)
        bend = max(start[0], end[0]) + 24 + 3.2 * abs(to_y - y) / FLOOR * 5
        out.append(
            f'<path stroke-width="{min(6, 0.6 + many / 12):.1f}" d="M{start[0]:.0f} {start[1]:.0f}'
            f'C{bend:.0f} {start[1]:.0f} {bend:.0f} {end[1]:.0f} {end[0]:.0f} {end[1]:.0f}"/>'
        )
    for room, (x, y, wide) in places.items():
        folder = ROOT.joinpath(*room.split("."))
        inside = sorted(p.name for p in folder.glob("[a-z]*") if (p / "__init__.py").is_file())
        files = len([p for p in folder.rglob("*.py") if p.name != "__init__.py"]) or 1
        said = f"{files} file{'s' if files > 1 else ''}" + (
            f": {', '.join(inside)}" if inside else ""
        )
        out += [
            f'<rect x="{x:.0f}" y="{y}" width="{wide:.0f}" height="{BOX}" rx="6"/>',
            f'<text x="{x + 10:.0f}" y="{y + 17}">{escape(room.removeprefix("runner."))}</text>',
            f'<text class="soft" x="{x + 10:.0f}" y="{y + 32}">{escape(said)}</text>',
        ]
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> int:
    """Write the picture."""
    OUT.write_text(drawn(), encoding="utf-8")
    print(OUT.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
