"""JSON and regular expressions in what a program wrote, shared by several sources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from runner.kinds.sources.interface import Found
from runner.records.patterns import last_match

if TYPE_CHECKING:
    from runner.kinds.sources.interface import Printed

ITEMS: Final = 64
"""So many items of a list get a name of their own."""


class Stream:
    """One of the workload's two streams: `name` is stdout or stderr."""

    known = ("regex",)
    open = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.doc = (
            f"last JSON object (`{name}.json.a.b`), or the metric's `pattern` (`{name}.regex`)"
        )

    def parse(self, printed: Printed) -> Found:
        """Every value of the last JSON object, and every pattern's match."""
        text = printed.stdout if self.name == "stdout" else printed.stderr
        found = Found()
        said = last_object(text)
        if said is not None:
            flatten(said, f"{self.name}.json", found)
        search(text, self.name, printed.patterns, found)
        return found


def last_object(text: str) -> Any:
    """Parse the last JSON object of a text: a line of its own, or all of it."""
    for line in reversed(text.splitlines()):
        if line.startswith("{") and line.rstrip().endswith("}"):
            try:
                return json.loads(line)
            except ValueError:
                continue
    start = text.find("{")
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, start)[0]
    except ValueError:
        return None


def flatten(value: Any, name: str, found: Found) -> None:
    """Give an object dotted names; of a list every item by its index, and its length.

    A null that a program prints stays null, with that as the reason.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            flatten(item, f"{name}.{key}", found)
    elif isinstance(value, list):
        found.numbers[f"{name}.count"] = len(value)
        for index, item in enumerate(value[:ITEMS]):
            flatten(item, f"{name}.{index}", found)
    elif isinstance(value, bool):
        found.numbers[name] = int(value)
    elif isinstance(value, int | float | str):
        found.numbers[name] = value
    elif value is None:
        found.absent(name, "the program says null: the quantity does not exist")


def pattern_name(source: str, pattern: str) -> str:
    """Name the number of a regular expression: two metrics may look for two things."""
    return f"{source}({pattern})"


def search(text: str, family: str, patterns: tuple[tuple[str, str], ...], found: Found) -> None:
    """Take group 1 of the last match of each pattern, the whole match without a group."""
    for source, pattern in patterns:
        if source != f"{family}.regex":
            continue
        name = pattern_name(source, pattern)
        try:
            match = last_match(pattern, text)
        except ValueError as wrong:
            found.absent(name, str(wrong))
            continue
        if match is None:
            found.absent(name, f"nothing on {family} matches {pattern}")
            continue
        said = match[1]
        try:
            found.numbers[name] = float(said.replace("_", ""))
        except ValueError:
            found.numbers[name] = said
