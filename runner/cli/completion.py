"""`runner completion SHELL`: the script that a shell sources to complete our commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from runner.cli import console
from runner.errors import RunnerError

SHELLS = ("bash", "zsh", "fish")
_NAMED_BY_A_PATH = ("EXP", "RUN", "A", "B")
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

    parser = cli.whole_parser()
    _complete_files(parser, shtab.FILE)
    console.out(shtab.complete(parser, shell=args.shell))
    return 0


def _complete_files(parser: argparse.ArgumentParser, how: object) -> None:
    """Let a shell complete the names of files where a spec, a run's folder or a path is meant."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                _complete_files(below, how)
        elif action.type is Path or action.metavar in _NAMED_BY_A_PATH:
            action.complete = how  # type: ignore[attr-defined]  # where shtab looks for it
