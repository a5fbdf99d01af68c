"""`runner kinds`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli import console

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Print resource kinds, sources and generators, as their files say."""
    from runner.kinds.generators import NAMES
    from runner.kinds.resources import kinds_table
    from runner.kinds.sources import fields, parsers

    del args
    console.out(kinds_table())
    console.out("| metric | unit | what |\n|---|---|---|")
    for name, field in sorted(fields({}).items()):
        console.out(f"| `{name}` | {field.unit} | {field.doc} |")
    console.out("\n| parsed | names | what |\n|---|---|---|")
    for name, parser in parsers().items():
        names = [*parser.known, *(["…"] if parser.open else [])]
        console.out(f"| `{name}` | {', '.join(names)} | {parser.doc} |")
    console.out("\nload generators: " + ", ".join(NAMES))
    return 0
