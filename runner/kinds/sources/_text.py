"""JSON and regular expressions in what a program wrote, shared by several sources."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources._json import Missing, at, last_json, read_json
from runner.kinds.sources._many import many
from runner.kinds.sources.interface import OF_WORKLOAD, Found
from runner.records.patterns import last_match
from runner.records.steps import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.kinds.sources._json import Json
    from runner.kinds.sources.interface import Needs, Printed

DEEP: Final = "is nested too deeply to be read, or never closed"
NOTHING: Final = "no JSON object was printed on {}"
NOTHING_MATCHES: Final = "nothing on"
"""How the reason begins where a pattern matches nothing."""
LONGEST: Final = 4000
"""Characters of a text that is kept as a metric's value."""


class Stream:
    """One of the workload's two streams: `name` is stdout or stderr."""

    known: Mapping[str, str] = MappingProxyType({"sha256": ""})
    open = ("json.", "jsonl.", "csv.")
    needs: Needs = OF_WORKLOAD
    at_end = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.doc = (
            f"last JSON object (`{name}.json.a.b`), the metric's `pattern` (`{name}.regex`), the "
            f"last JSON line (`{name}.jsonl.a`) or row (`{name}.csv.column`); all with "
            f"`statistic`; the digest of all of it (`{name}.sha256`)"
        )

    def unit(self, name: str) -> str | None:
        """None: what a program prints has the unit that the metric says."""
        del name
        return None

    def parse(self, printed: Printed) -> Found:
        """Give what is asked of the last JSON object, every pattern's match, and of many."""
        text = printed.stdout if self.name == "stdout" else printed.stderr
        readings = Found()
        prefix = f"{self.name}.json"
        listed = {one.name for one in printed.many}
        asked = tuple(name for name in printed.asked if name not in listed)
        if any(name == prefix or name.startswith(f"{prefix}.") for name in asked):
            try:
                value = last_json(text)
            except RecursionError:
                readings.why[prefix] = f"the JSON on {self.name} {DEEP}"
            else:
                if value is None:
                    readings.why[prefix] = NOTHING.format(self.name)
                else:
                    pick(value, prefix, asked, readings)
        search(text, self.name, printed.patterns, readings)
        lists = [one for one in printed.many if one.source.partition(".")[0] == self.name]
        lists += [
            Asked(name, name)
            for name in asked
            if name.startswith((f"{self.name}.jsonl.", f"{self.name}.csv."))
        ]
        left_out = printed.left_out.get(self.name, 0)
        if f"{self.name}.sha256" in asked:
            if left_out:
                readings.why[f"{self.name}.sha256"] = "not all that was printed was kept"
            else:
                digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
                readings.numbers[f"{self.name}.sha256"] = digest
        many(lists, text, self.name, left_out, readings)
        if left_out:
            note = f" ({left_out} characters in the middle of {self.name} were left out)"
            readings.why |= {name: why + note for name, why in readings.why.items()}
        return readings


def pick(value: Json, prefix: str, asked: Sequence[str], readings: Found) -> None:
    """Give what is asked of a JSON value by dotted names; of a list by index, and its `count`.

    A null that a program prints stays null, with that as the reason.
    """
    for name in asked:
        if name.startswith(f"{prefix}."):
            _put(name, at(value, name.removeprefix(f"{prefix}.").split(".")), readings)


def _put(name: str, value: Json | Missing, readings: Found) -> None:
    if isinstance(value, Missing):
        if readings.numbers.get(name) is None:  # an older page may have it
            readings.absent(name, value.why)
    elif value is None:
        readings.absent(name, "the program says null: the quantity does not exist")
    elif isinstance(value, bool):
        readings.put(name, int(value))
    elif isinstance(value, int | float):
        readings.put(name, value)
    elif isinstance(value, str):
        readings.put(name, value[:LONGEST])
    else:
        kind = "an object" if isinstance(value, dict) else "a list"
        hint = "" if isinstance(value, dict) else ", or say statistic"
        readings.absent(name, f"the JSON has {kind} there: name what of it is meant{hint}")


def pattern_name(source: str, pattern: str) -> str:
    """Name the number of a regular expression: two metrics may look for two things."""
    return f"{source}({pattern})"


def search(text: str, family: str, patterns: tuple[tuple[str, str], ...], readings: Found) -> None:
    """Take group 1 of the last match of each pattern, the whole match without a group."""
    for source, pattern in patterns:
        if source != f"{family}.regex":
            continue
        name = pattern_name(source, pattern)
        try:
            match = last_match(pattern, text)
        except ValueError as wrong:
            readings.absent(name, str(wrong))
            continue
        if match is None:
            readings.absent(name, f"{NOTHING_MATCHES} {family} matches {pattern}")
            continue
        matched = match[1]
        try:
            readings.put(name, float(matched.replace("_", "")))
        except ValueError:
            readings.put(name, matched[:LONGEST])


def objects(printed: Printed) -> Iterator[Mapping[str, Json]]:
    """Every JSON object that was shown: the last on stdout, then the pages, the newest last."""
    try:
        printed_json = last_json(printed.stdout)
    except RecursionError:
        printed_json = None
    if isinstance(printed_json, dict):
        yield printed_json
    for page in printed.pages:
        if page.text and page.text.lstrip().startswith("{"):
            try:
                page_json = read_json(page.text)
            except (ValueError, RecursionError):
                continue
            if isinstance(page_json, dict):
                yield page_json
