"""`runner schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli import console

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Print the JSON Schema of the spec language."""
    from runner.spec.schema import schema_text

    del args
    console.out(schema_text().rstrip("\n"))
    return 0
