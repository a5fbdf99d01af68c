"""What keeps the house walkable, as numbers: `python -m tools.house` fails above a limit.

A room is a folder of runner/. Kinds and commands lie side by side by design: one a file.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import grimp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
MOST_FILES = 18
MOST_LINES = 350
# they may fall, and never rise
MOST_ANY = 6
MOST_ANY_IN_ANALYSIS = 0
MOST_BY_STRING = 1.5
ANY = re.compile(r"\bAny\b")
BY_STRING = re.compile(r"(dict|Mapping)\[str, Any\]")
ONE_A_FILE = ("kinds/resources", "kinds/sources", "kinds/generators", "cli", "lint/rules",
              "report/figure_kinds")  # fmt: skip


class Measure(NamedTuple):
    """One number, its limit, and what stands above it."""

    name: str
    number: float
    limit: float
    where: tuple[str, ...]


def files() -> list[Path]:
    """Every Python file of runner/."""
    return sorted(ROOT.glob("runner/**/*.py"))


def rooms() -> Measure:
    """Folders that hold more than MOST_FILES files, their `__init__.py` apart."""
    by_room: dict[str, int] = {}
    for file in files():
        room = file.parent.relative_to(ROOT / "runner").as_posix()
        by_room[room] = by_room.get(room, 0) + (file.name != "__init__.py")
    large = [
        f"runner/{room}: {many} files"
        for room, many in sorted(by_room.items())
        if many > MOST_FILES and room not in ONE_A_FILE
    ]
    return Measure(f"rooms over {MOST_FILES} files", len(large), 0, tuple(large))


def long_files() -> Measure:
    """Files of more than MOST_LINES lines."""
    long = []
    for file in files():
        lines = len(file.read_text("utf-8").splitlines())
        if lines > MOST_LINES:
            long.append(f"{file.relative_to(ROOT)}: {lines} lines")
    return Measure(f"files over {MOST_LINES} lines", len(long), 0, tuple(long))


def circles() -> Measure:
    """Modules that import each other, over however many others; imports for types count."""
    graph = grimp.build_graph("runner", cache_dir=None)
    found = [
        " → ".join(circle)
        for circle in _knots(graph.modules, graph.find_modules_directly_imported_by)
    ]
    return Measure("import circles", len(found), 0, tuple(found))


def _knots(modules: set[str], imports: Callable[[str], set[str]]) -> Iterator[list[str]]:
    """Strongly connected components of more than one module (Tarjan 1972), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    for start in sorted(modules):
        if start in index:
            continue
        work = [(start, iter(sorted(imports(start))))]
        index[start] = low[start] = len(index)
        stack.append(start)
        while work:
            module, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(imports(other)))))
                    break
                if other in stack:
                    low[module] = min(low[module], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[module])
                if low[module] == index[module]:
                    at = stack.index(module)
                    knot, stack[at:] = stack[at:], []
                    if len(knot) > 1:
                        yield sorted(knot)


def borrowed() -> Measure:
    """Imports of a test module: what two need stands in a module of its own."""
    taken = re.compile(r"^\s*(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)
    found = [
        f"{file.relative_to(ROOT)}: {match[0].strip()}"
        for file in sorted(ROOT.glob("tests/**/*.py"))
        for match in taken.finditer(file.read_text("utf-8"))
    ]
    return Measure("imports of a test module", len(found), 0, tuple(found))


def untyped(room: str, limit: float) -> Callable[[], Measure]:
    """Lines that name `Any`, of 1,000 of a room."""

    def measure() -> Measure:
        return _per_thousand(f"lines naming Any per 1,000 in {room}", room, ANY, limit)

    return measure


def by_string() -> Measure:
    """Lines with a mapping from text to anything, of 1,000: data whose shape nobody says."""
    return _per_thousand("(dict|Mapping)[str, Any] per 1,000", "runner", BY_STRING, MOST_BY_STRING)


def _per_thousand(name: str, room: str, pattern: re.Pattern[str], limit: float) -> Measure:
    many, lines = 0, 0
    by_file: dict[str, int] = {}
    for file in sorted((ROOT / room).glob("**/*.py")):
        text = file.read_text("utf-8").splitlines()
        lines += len(text)
        found = sum(bool(pattern.search(line)) for line in text)
        many += found
        by_file[str(file.relative_to(ROOT))] = found
    most = sorted(by_file.items(), key=lambda one: -one[1])[:10]
    where = tuple(f"{file}: {found}" for file, found in most if found)
    return Measure(name, round(1000 * many / max(1, lines), 1), limit, where)


MEASURES: tuple[Callable[[], Measure], ...] = (
    rooms, long_files, circles, borrowed, untyped("runner", MOST_ANY), untyped("runner/records", 0),
    untyped("runner/analysis", MOST_ANY_IN_ANALYSIS), by_string,
)  # fmt: skip


def main() -> int:
    """Print every number; 1 where one is above its limit."""
    bad = False
    for measure in (take() for take in MEASURES):
        over = measure.number > measure.limit
        bad |= over
        print(f"{measure.name}: {measure.number:g} (at most {measure.limit:g})")
        for line in measure.where if over else ():
            print(f"  {line}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
