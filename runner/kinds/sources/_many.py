"""Every match of a pattern, item of a JSON list or row of a CSV column → one number, or a series.

The first ones may be thrown away (a program's own warm-up), and how many were is a number
of its own. Nothing is left out silently: one item that is not a number is the reason for none.
"""

from __future__ import annotations

import csv
import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.kinds.sources._json import Missing, at, last_json, lines_of_json
from runner.kinds.sources.interface import only_a_part
from runner.records.patterns import every_match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.kinds.sources._json import Json
    from runner.kinds.sources.interface import Found
    from runner.records.steps import Asked

COMBINE: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "max": max,
    "min": min,
    "mean": statistics.fmean,
    "median": statistics.median,
    "sum": math.fsum,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "count": len,
}
DELIMITERS: Final = ",;\t"
SHOWN: Final = 60


class _NoneError(ValueError):
    """There is no number; the message is the reason."""


@dataclass(frozen=True)
class _Item:
    """One of many: its value, and its time where it is one of a series."""

    value: Json | Missing
    t: Json | Missing = None


def many(asked: Sequence[Asked], text: str, stream: str, left_out: int, readings: Found) -> None:
    """Add what is asked of one stream; `left_out` are characters that the host did not keep."""
    for one in asked:
        try:
            _one(one, text, stream, left_out, readings)
        except _NoneError as why:
            readings.absent(one.name, str(why))
        except RecursionError:
            readings.absent(one.name, f"the JSON on {stream} is nested too deeply to be read")


def _one(asked: Asked, text: str, stream: str, left_out: int, readings: Found) -> None:
    if left_out and asked.statistic != "last":
        raise _NoneError(only_a_part(stream, left_out))
    items = list(_items(asked, text, stream))
    if not items:
        raise _NoneError(f"nothing on {stream} is {_what(asked)}")
    kept, times = _kept(asked, items)
    readings.put(f"{asked.name}[taken]", len(kept))
    readings.put(f"{asked.name}[skipped]", len(items) - len(kept))
    if not kept:
        raise _NoneError(f"all {len(items)} are thrown away by skip")
    if asked.statistic == "count":
        readings.put(asked.name, len(kept))
        return
    if asked.statistic in ("first", "last") and not asked.t:
        kept = [kept[0 if asked.statistic == "first" else -1]]
        value = _read(kept[0].value)
        if isinstance(value, str):
            readings.put(asked.name, value[:4000])
            return
    numbers = [_number(item.value, place) for place, item in enumerate(kept, 1)]
    readings.put(asked.name, COMBINE[asked.statistic](numbers) * asked.size)
    if asked.t:
        readings.series[asked.name] = (tuple(times), tuple(numbers))


def _what(asked: Asked) -> str:
    if asked.pattern:
        return f"matched by {asked.pattern}"
    return f"an item of {asked.source}"


def _kept(asked: Asked, items: list[_Item]) -> tuple[list[_Item], list[float]]:
    """Give the items that are not thrown away, and of a series their times in seconds."""
    times: list[float] = []
    if asked.t:
        times = [_number(item.t, n, "time ") * asked.t_size for n, item in enumerate(items, 1)]
    if asked.skip_by == "seconds":
        begin = times[0] + asked.skip
        places = [n for n, t in enumerate(times) if t >= begin]
        return [items[n] for n in places], [times[n] for n in places]
    first = int(asked.skip if asked.skip_by == "items" else math.ceil(asked.skip * len(items)))
    return items[first:], times[first:]


def _read(value: Json | Missing) -> Json | Missing:
    """Take a text that is a number as one."""
    if isinstance(value, str):
        try:
            return float(value.strip().replace("_", ""))
        except ValueError:
            return value.strip()
    return value


def _number(value: Json | Missing, place: int, what: str = "") -> float:
    """Give a finite number; _NoneError says which item is none."""
    read = _read(value)
    if isinstance(read, int | float):
        number = float(read)
        if math.isfinite(number):
            return number
    if isinstance(read, Missing):
        raise _NoneError(f"the {what}item {place} of those taken is missing: {read.why}")
    shown = "null" if read is None else str(read)[:SHOWN]
    raise _NoneError(f"the {what}item {place} of those taken is not a number: {shown}")


def _items(asked: Asked, text: str, stream: str) -> Iterator[_Item]:
    form, _, path = asked.source.removeprefix(f"{stream}.").partition(".")
    if form == "regex":
        yield from _matches(asked, text)
    elif form == "csv":
        yield from _rows(asked, path, text, stream)
    elif form == "jsonl":
        for line in lines_of_json(text):
            yield from _within(asked, line, path.split(".") if path else [])
    else:
        value = last_json(text)
        if value is None:
            raise _NoneError(f"no JSON was printed on {stream}")
        yield from _within(asked, value, path.split(".") if path else [])


def _matches(asked: Asked, text: str) -> Iterator[_Item]:
    try:
        for groups in every_match(asked.pattern, text):
            if asked.t:
                yield _Item(groups[int(asked.v)], groups[int(asked.t)])
            else:
                yield _Item(groups[1 if len(groups) > 1 else 0])
    except ValueError as wrong:
        raise _NoneError(str(wrong)) from None


def _within(asked: Asked, value: Json, path: list[str]) -> Iterator[_Item]:
    """Give the items below a path; `*` is every item of a list or value of an object."""
    if "*" in path:
        star = path.index("*")
        below = at(value, path[:star])
        if isinstance(below, Missing):
            raise _NoneError(below.why)
        inside = list(below.values()) if isinstance(below, dict) else below
        if not isinstance(inside, list):
            raise _NoneError(f"the JSON has no list at {'.'.join(path[:star]) or 'its top'}")
        for item in inside:
            yield from _within(asked, item, path[star + 1 :])
        return
    below_path = at(value, path)
    if not isinstance(below_path, list):
        yield _item(asked, below_path)
        return
    for item in below_path:
        yield _item(asked, item)


def _item(asked: Asked, element: Json | Missing) -> _Item:
    if not asked.t or isinstance(element, Missing):
        return _Item(element)
    return _Item(at(element, asked.v.split(".")), at(element, asked.t.split(".")))


def _rows(asked: Asked, column: str, text: str, stream: str) -> Iterator[_Item]:
    """Give the rows below the first line that has the columns; a line of other width ends them.

    A header that comes again begins them again. Rows that go on without one leave open whether
    they are meant (a log in between) or are something else (a total): _NoneError.
    """
    names = [asked.v, asked.t] if asked.t else [column]
    head: list[str] = []
    delimiter, ended = ",", ""
    for line in text.splitlines():
        if not head:
            delimiter, head = _head(line, names)
            continue
        fields = _fields(line, delimiter)
        if len(fields) != len(head):
            ended = ended or f"the line `{line.strip()[:SHOWN]}`"
            continue
        if fields == head:
            ended = ""
            continue
        row = dict(zip(head, fields, strict=True))
        if not ended:
            yield _Item(row[names[0]], row[names[1]] if asked.t else None)
        elif isinstance(_read(row[names[0]]), float):
            raise _NoneError(
                f"rows go on behind {ended}, which is none of them: print them together, or "
                "take them by a pattern"
            )
    if not head:
        raise _NoneError(f"no line on {stream} has the column {' and '.join(names)}")


def _head(line: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """Give the delimiter and the columns of a line that has all names; no columns of another."""
    if all(name in line for name in names):
        for delimiter in DELIMITERS:
            fields = _fields(line, delimiter)
            if all(name in fields for name in names):
                return delimiter, fields
    return ",", []


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []
