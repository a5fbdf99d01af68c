"""`runner completion SHELL`: the script that a shell sources to complete our commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import RunnerError

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")
_OPTIONAL = "pip install 'runner-experiments[completion]'"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=SHELLS, help="put its output where the shell looks")


def run(args: argparse.Namespace) -> int:
    """Print the script: every command with its own options."""
    try:
        import shtab
    except ImportError:
        raise RunnerError("completion needs shtab, which is not installed", fix=_OPTIONAL) from None
    from runner import cli

    console.out(shtab.complete(cli.whole_parser(), shell=args.shell))
    return 0
