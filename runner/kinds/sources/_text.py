"""JSON and regular expressions in what a program wrote, shared by several sources."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources.interface import Found
from runner.records.patterns import last_match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.kinds.sources.interface import Printed

    Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None

DEEP: Final = "is nested too deeply to be read"
NOTHING: Final = "no JSON object was printed on {}"
LONGEST: Final = 4000
"""Characters of a text that is kept as a metric's value."""
TRIES: Final = 50
_OPENS: Final = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)
_BLANK: Final = re.compile(r"[ \t\r]*(?:\n|\Z)")


class Stream:
    """One of the workload's two streams: `name` is stdout or stderr."""

    known: Mapping[str, str] = MappingProxyType({"regex": ""})
    open = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.doc = (
            f"last JSON object (`{name}.json.a.b`), or the metric's `pattern` (`{name}.regex`)"
        )

    def unit(self, name: str) -> str | None:
        """None: what a program prints has the unit that the metric says."""
        del name
        return None

    def parse(self, printed: Printed) -> Found:
        """Give what is asked of the last JSON object, and every pattern's match."""
        text = printed.stdout if self.name == "stdout" else printed.stderr
        found = Found()
        prefix = f"{self.name}.json"
        if any(name == prefix or name.startswith(f"{prefix}.") for name in printed.asked):
            try:
                said = last_json(text)
            except RecursionError:
                found.why[prefix] = f"the JSON on {self.name} {DEEP}"
            else:
                if said is None:
                    found.why[prefix] = NOTHING.format(self.name)
                else:
                    pick(said, prefix, printed.asked, found)
        search(text, self.name, printed.patterns, found)
        return found


def last_json(text: str) -> Json:
    """Parse the last JSON object of a text, on one line or on several; a list where none is.

    It begins a line and nothing follows on its last line; where there is none, the last one
    behind or before something else on its line, as in a log. None without either,
    RecursionError where all are nested too deeply.
    """
    objects, lists = _standing(text)
    if objects or lists:
        return objects[-1] if objects else lists[-1]
    for line in reversed(text.splitlines()):
        found = _last_within(line)
        if found is not None:
            return found
    return None


def _last_within(line: str) -> Json:
    """Give the last object of a line; None without one among its first `TRIES` braces."""
    found: Json = None
    at = line.find("{")
    for _ in range(TRIES):
        if at < 0:
            break
        try:
            found, at = _DECODER.raw_decode(line, at)
        except ValueError:
            at += 1
        at = line.find("{", at)
    return found


def _standing(text: str) -> tuple[list[Json], list[Json]]:
    objects: list[Json] = []
    lists: list[Json] = []
    at, deep = 0, False
    while (begin := _OPENS.search(text, at)) is not None:
        at = begin.end()
        try:
            found, end = _DECODER.raw_decode(text, at)
        except RecursionError:
            deep = True
            # what it holds is nested as deeply: go on behind its line
            at = text.find("\n", at) + 1 or len(text)
            continue
        except ValueError:
            at += 1
            continue
        if _BLANK.match(text, end):
            (objects if isinstance(found, dict) else lists).append(found)
            del objects[:-1], lists[:-1]
        at = end
    if deep and not objects and not lists:
        raise RecursionError
    return objects, lists


def _whole(text: str) -> float | int:
    # int() refuses more than 4,300 digits, and no number of those is meant
    return int(text) if len(text) < 400 else float(text)


_DECODER: Final = json.JSONDecoder(parse_int=_whole)


def read_json(text: str) -> Json:
    """Parse a whole text as JSON; ValueError and RecursionError where that is not possible."""
    found: Json = json.loads(text, parse_int=_whole)
    return found


def pick(value: Json, prefix: str, asked: Sequence[str], found: Found) -> None:
    """Give what is asked of a JSON value by dotted names; of a list by index, and its `count`.

    A null that a program prints stays null, with that as the reason.
    """
    for name in asked:
        if name.startswith(f"{prefix}."):
            _put(name, _at(value, name.removeprefix(f"{prefix}.").split(".")), found)


def _at(value: Json, path: list[str]) -> Json | _Missing:
    """Follow a path; a key may hold dots itself."""
    if not path:
        return value
    if isinstance(value, dict):
        for many in range(len(path), 0, -1):
            key = ".".join(path[:many])
            if key in value:
                return _at(value[key], path[many:])
        known = ", ".join(str(key)[:40] for key in list(value)[:8])
        has = f"; it has {known}" if known else ""
        return _Missing(f"the JSON has no `{path[0]}` there{has}")
    return _item(value, path)


def _item(value: Json, path: list[str]) -> Json | _Missing:
    if not isinstance(value, list):
        return _Missing(f"the JSON has nothing below `{path[0]}`")
    if path == ["count"]:
        return len(value)
    if path[0].isdecimal() and len(path[0]) < 10 and int(path[0]) < len(value):
        return _at(value[int(path[0])], path[1:])
    return _Missing(f"the JSON has a list of {len(value)} there: name an index below that")


class _Missing:
    def __init__(self, why: str) -> None:
        self.why = why


def _put(name: str, value: Json | _Missing, found: Found) -> None:
    if isinstance(value, _Missing):
        if found.numbers.get(name) is None:  # an older page may have it
            found.absent(name, value.why)
    elif value is None:
        found.absent(name, "the program says null: the quantity does not exist")
    elif isinstance(value, bool):
        found.put(name, int(value))
    elif isinstance(value, int | float):
        found.put(name, value)
    elif isinstance(value, str):
        found.put(name, value[:LONGEST])
    else:
        kind = "an object" if isinstance(value, dict) else "a list"
        found.absent(name, f"the JSON has {kind} there: name what of it is meant")


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
            found.put(name, float(said.replace("_", "")))
        except ValueError:
            found.put(name, said[:LONGEST])


def objects(printed: Printed) -> Iterator[Mapping[str, Json]]:
    """Every JSON object that was shown: the last on stdout, then the pages, the newest last."""
    try:
        said = last_json(printed.stdout)
    except RecursionError:
        said = None
    if isinstance(said, dict):
        yield said
    for page in printed.pages:
        if page.text and page.text.lstrip().startswith("{"):
            try:
                found = read_json(page.text)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                yield found
