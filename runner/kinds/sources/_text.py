"""JSON and regular expressions in what a program wrote, shared by several sources."""

from __future__ import annotations

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

    known: Mapping[str, str] = MappingProxyType({})
    open = ("json.", "jsonl.", "csv.")
    needs: Needs = OF_WORKLOAD

    def __init__(self, name: str) -> None:
        self.name = name
        self.doc = (
            f"last JSON object (`{name}.json.a.b`), the metric's `pattern` (`{name}.regex`), the "
            f"last JSON line (`{name}.jsonl.a`) or row (`{name}.csv.column`); all with `statistic`"
        )

    def unit(self, name: str) -> str | None:
        """None: what a program prints has the unit that the metric says."""
        del name
        return None

    def parse(self, printed: Printed) -> Found:
        """Give what is asked of the last JSON object, every pattern's match, and of many."""
        text = printed.stdout if self.name == "stdout" else printed.stderr
        found = Found()
        prefix = f"{self.name}.json"
        listed = {one.name for one in printed.many}
        asked = tuple(name for name in printed.asked if name not in listed)
        if any(name == prefix or name.startswith(f"{prefix}.") for name in asked):
            try:
                said = last_json(text)
            except RecursionError:
                found.why[prefix] = f"the JSON on {self.name} {DEEP}"
            else:
                if said is None:
                    found.why[prefix] = NOTHING.format(self.name)
                else:
                    pick(said, prefix, asked, found)
        search(text, self.name, printed.patterns, found)
        lists = [one for one in printed.many if one.source.partition(".")[0] == self.name]
        lists += [
            Asked(name, name)
            for name in asked
            if name.startswith((f"{self.name}.jsonl.", f"{self.name}.csv."))
        ]
        left_out = printed.left_out.get(self.name, 0)
        many(lists, text, self.name, left_out, found)
        if left_out:
            said_too = f" ({left_out} characters in the middle of {self.name} were left out)"
            found.why |= {name: why + said_too for name, why in found.why.items()}
        return found


def pick(value: Json, prefix: str, asked: Sequence[str], found: Found) -> None:
    """Give what is asked of a JSON value by dotted names; of a list by index, and its `count`.

    A null that a program prints stays null, with that as the reason.
    """
    for name in asked:
        if name.startswith(f"{prefix}."):
            _put(name, at(value, name.removeprefix(f"{prefix}.").split(".")), found)


def _put(name: str, value: Json | Missing, found: Found) -> None:
    if isinstance(value, Missing):
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
        hint = "" if isinstance(value, dict) else ", or say statistic"
        found.absent(name, f"the JSON has {kind} there: name what of it is meant{hint}")


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
            found.absent(name, f"{NOTHING_MATCHES} {family} matches {pattern}")
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
