"""Metric sources, one file each: they describe what to read and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.kinds import discovery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import ModuleType

    from runner.kinds.sources.interface import Field, Found, Parser, Printed, Read, Source


def names() -> tuple[str, ...]:
    """Every family that has a file here; nothing is imported for it."""
    return discovery.ours("sources")


def module(name: str) -> ModuleType:
    """Import the file of one family, here or of an outside package."""
    return discovery.module("sources", name)


def _all(attribute: str) -> Iterator[Any]:
    for name in (*names(), *sorted(discovery.imported("sources"))):
        kind = getattr(module(name), attribute, None)
        if kind is not None:
            yield kind


def kinds() -> dict[str, Source]:
    """Every sampled source by name: ours, and the outside ones that something has named."""
    return {kind.name: kind for kind in _all("KIND")}


def parsers() -> dict[str, Parser]:
    """Every source by name that makes numbers of what was printed or answered."""
    return {kind.name: kind for kind in _all("PARSER")}


def parse(printed: Printed, families: Collection[str]) -> Found:
    """Give the numbers of every family that is asked for; a parser's fault is a null with it.

    What comes back is finite, and of an open family what is asked alone.
    """
    from runner.kinds.sources.interface import Found

    readings = Found()
    for name in families:
        parser = getattr(module(name), "PARSER", None) if discovery.known("sources", name) else None
        if parser is not None:
            _add(parser, printed, readings)
    return readings


def _add(parser: Parser, printed: Printed, readings: Found) -> None:
    from runner.kinds.sources.interface import Found as Clean

    try:
        one = parser.parse(printed)
    except Exception as fault:  # noqa: BLE001 - no parser can end a run: the text is kept in the record
        reason = str(fault)[:200] or type(fault).__name__
        readings.why[parser.name] = f"what was printed could not be read as {parser.name}: {reason}"
        return
    clean = Clean(why=dict(one.why))
    for name, value in one.numbers.items():
        if parser.open and not _wanted_number(name, parser, printed):
            continue
        if value is None:
            clean.absent(name, one.why.get(name) or "not measured")
        else:
            clean.put(name, value)
    readings.numbers |= clean.numbers
    readings.why |= clean.why
    readings.series |= one.series


def _wanted_number(name: str, parser: Parser, printed: Printed) -> bool:
    """Say whether somebody named a number, or its family always has it."""
    if "(" in name or "[" in name or name.partition(".")[2] in parser.known:
        return True
    return any(name == asked or asked.startswith(f"{name}.") for asked in printed.asked)


def reads(
    facts: Mapping[str, object], *, hz: float, asked: Collection[str] | None = None
) -> list[Read]:
    """Reads of all sources for one host; of those on demand the `asked` families alone."""
    return [read for source in _wanted(asked) for read in source.reads(facts, hz=hz)]


def fields(facts: Mapping[str, object], asked: Collection[str] | None = None) -> dict[str, Field]:
    """Every quantity by its full name (`procfs.rss`); of those on demand the `asked` ones."""
    return {
        f"{source.name}.{short}": field
        for source in _wanted(asked)
        for short, field in source.fields(facts).items()
    }


def by_column(facts: Mapping[str, object]) -> dict[str, tuple[str, Field]]:
    """Give for each column of a sample stream the quantity that it is, and its field."""
    return {field.column: (name, field) for name, field in fields(facts).items()}


def _wanted(asked: Collection[str] | None) -> list[Source]:
    ours = names()
    return [
        source
        for source in kinds().values()
        if asked is None or source.name in asked or (not source.on_demand and source.name in ours)
    ]
