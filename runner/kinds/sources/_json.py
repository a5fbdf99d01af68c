"""JSON in what a program wrote: its last object or list, every line, and paths into it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None

TRIES: Final = 50
_OPENS: Final = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)
_BLANK: Final = re.compile(r"[ \t\r]*(?:\n|\Z)")


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


def lines_of_json(text: str) -> Iterator[Json]:
    """Give every line that is a JSON object, in order; other lines are a log's."""
    for line in text.splitlines():
        if line.lstrip().startswith("{"):
            try:
                yield read_json(line)
            except (ValueError, RecursionError):
                continue


def at(value: Json, path: list[str]) -> Json | Missing:
    """Follow a path; a key may hold dots itself."""
    if not path:
        return value
    if isinstance(value, dict):
        for length in range(len(path), 0, -1):
            key = ".".join(path[:length])
            if key in value:
                return at(value[key], path[length:])
        known = ", ".join(str(key)[:40] for key in list(value)[:8])
        has = f"; it has {known}" if known else ""
        return Missing(f"the JSON has no `{path[0]}` there{has}")
    return _item(value, path)


def _item(value: Json, path: list[str]) -> Json | Missing:
    if not isinstance(value, list):
        return Missing(f"the JSON has nothing below `{path[0]}`")
    if path == ["count"]:
        return len(value)
    if path[0].isdecimal() and len(path[0]) < 10 and int(path[0]) < len(value):
        return at(value[int(path[0])], path[1:])
    return Missing(f"the JSON has a list of {len(value)} there: name an index below that")


def mapping(value: Json) -> Mapping[str, Json]:
    """Give an object; an empty one where something else stands there."""
    return value if isinstance(value, dict) else {}


def number(of: Mapping[str, Json], key: str, size: float = 1.0) -> float | None:
    """Give a number times the size of its unit; None where there is none."""
    value = of.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) * size


class Missing:
    """Nothing stands at a path; `why` says what does instead."""

    def __init__(self, why: str) -> None:
        self.why = why
