"""`runner kinds`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli import console

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Print every kind there is, as its file says, and the packages that bring more."""
    del args
    for line in _lines():
        console.out(line)
    return 0


def _lines() -> Iterator[str]:
    from runner.kinds import discovery
    from runner.kinds.generators import generator
    from runner.kinds.resources import kinds_table
    from runner.kinds.sources import fields, parsers
    from runner.kinds.units import CLOSED

    outside = [one for group in discovery.FOLDERS for one in discovery.outside(group)]
    for one in outside:
        discovery.module(one.group, one.name)
    yield kinds_table()
    yield "| metric | unit | what |\n|---|---|---|"
    for name, field in sorted(fields({}).items()):
        yield f"| `{name}` | {field.unit} | {field.doc} |"
    yield "\n| parsed | names | what |\n|---|---|---|"
    for name, parser in parsers().items():
        names = [*parser.known, *(["…"] if parser.open else [])]
        yield f"| `{name}` | {', '.join(names)} | {parser.doc} |"
    yield "\n| of every run | unit |\n|---|---|"
    for family, units in CLOSED.items():
        for name, unit in units.items():
            yield f"| `{family}.{name}` | {unit} |"
    yield "\n| load generator | model | needs | package | what |\n|---|---|---|---|---|"
    for name in discovery.names("generators"):
        kind = generator(name)
        model = "closed" if kind.closed else "its own" if "argv" in kind.needs else "open"
        needs, package = ", ".join(kind.needs), kind.package or "none"
        yield f"| `{name}` | {model} | {needs} | {package} | {kind.doc} |"
    yield "\n| figure | what |\n|---|---|"
    for name in discovery.names("figures"):
        yield f"| `{name}` | {discovery.module('figures', name).KIND.doc} |"
    yield "\n| from outside | kind | package | version |\n|---|---|---|---|"
    for one in outside:
        yield f"| `{one.name}` | {one.group} | {one.package} | {one.version} |"
    if not outside:
        yield "| none | | | |"
