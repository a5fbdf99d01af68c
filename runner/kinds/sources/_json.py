"""JSON in what a program wrote: its last object or list, every line, and paths into it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None

TRIES: Final = 50
"""Braces of one line that are tried."""
WINDOW: Final = 256
"""Characters that an object is first looked for in; then 16 times as many, and so on."""
EFFORT: Final = 16 << 20
"""Characters that may be read in vain: brackets that are never closed cost a text's length each."""
LEAST: Final = 64
"""What one attempt costs at least."""
_CUT: Final = 16
"""An error so near to the end of a window may be the window's own."""
_OPENS: Final = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)
_BLANK: Final = re.compile(r"[ \t\r]*(?:\n|\Z)")


def last_json(text: str) -> Json:
    """Parse the last JSON object of a text, on one line or on several; a list where none is.

    It begins a line and nothing follows on its last line; where there is none, the last one
    behind or before something else on its line, as in a log. None without either,
    RecursionError where all are nested too deeply, or too much begins that never ends.
    """
    value = _alone_at_end(text)
    if value is not None:
        return value
    tried = _Tried()
    objects, lists = _standing(text, tried)
    if objects or lists:
        return objects[-1] if objects else lists[-1]
    for line in reversed(text.splitlines()):
        value = _last_within(line, tried)
        if value is not None:
            return value
    return None


def _alone_at_end(text: str) -> Json:
    """Give the object that is the last line with a bracket: nothing before it can hold it."""
    end = max(text.rfind("}"), text.rfind("]"))
    begin = text.rfind("\n", 0, max(end, 0)) + 1
    stop = text.find("\n", begin)
    line = text[begin : stop if stop >= 0 else len(text)].strip(" \t\r")
    if not line.startswith("{"):
        return None
    try:
        value, at = _DECODER.raw_decode(line)
    except (ValueError, RecursionError):
        return None
    return value if at == len(line) and isinstance(value, dict) else None


class _Tried:
    """How much was read in vain."""

    def __init__(self) -> None:
        self._left = EFFORT

    def read(self, text: str, at: int) -> tuple[Json, int]:
        """Parse what begins at a place, and give where it ends; as JSONDecoder.raw_decode.

        A decoder that fails counts the lines before its place: it is given no more than it needs.
        """
        size = WINDOW
        while True:
            part = text[at : at + size]
            try:
                value, end = _DECODER.raw_decode(part)
            except RecursionError:
                self._spend(len(part))
                raise
            except json.JSONDecodeError as wrong:
                string = wrong.msg.startswith("Unterminated string")
                self._spend(len(part) if string else wrong.pos)
                cut = string or wrong.pos > size - _CUT
                if not cut or at + size >= len(text):
                    raise
            else:
                return value, at + end
            size *= 16

    def _spend(self, characters: int) -> None:
        self._left -= max(characters, LEAST)
        if self._left < 0:
            raise _TooMuchError


class _TooMuchError(RecursionError):
    """So much begins and never ends that the rest is not looked at."""


def _last_within(line: str, tried: _Tried) -> Json:
    """Give the last object of a line; None without one among its first `TRIES` braces."""
    value: Json = None
    at = line.find("{")
    for _ in range(TRIES):
        if at < 0:
            break
        try:
            value, at = tried.read(line, at)
        except ValueError:
            at += 1
        at = line.find("{", at)
    return value


def _standing(text: str, tried: _Tried) -> tuple[list[Json], list[Json]]:
    objects: list[Json] = []
    lists: list[Json] = []
    at, deep = 0, False
    while (begin := _OPENS.search(text, at)) is not None:
        at = begin.end()
        try:
            value, end = tried.read(text, at)
        except _TooMuchError:
            raise
        except RecursionError:
            deep = True
            # what it holds is nested as deeply: go on behind its line
            at = text.find("\n", at) + 1 or len(text)
            continue
        except ValueError:
            at += 1
            continue
        if _BLANK.match(text, end):
            (objects if isinstance(value, dict) else lists).append(value)
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
    value: Json = json.loads(text, parse_int=_whole)
    return value


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
