"""`runner validate EXP…`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli import common, console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    common.add_spec(parser, many=True)


def run(args: argparse.Namespace) -> int:
    """Print every fault of every file; 3 if there is one."""
    code = 0
    for path in args.specs:
        try:
            common.read_spec(args, path)
        except SpecError as error:
            console.out(error.message)
            if error.fix:
                console.say(f"fix: {error.fix}")
            code = error.exit_code
        else:
            console.out(f"{path}: ok")
    return code
