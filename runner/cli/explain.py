"""`runner explain RULE`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rules", metavar="RULE", nargs="*", help="default: a line for each")


def run(args: argparse.Namespace) -> int:
    """Print why a rule exists and how to mend what it finds."""
    from runner.lint import all_rules, explain

    for name in args.rules:
        rule = explain(name)
        if rule is None:
            near = difflib.get_close_matches(name, [known.id for known in all_rules()], 1, 0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise SpecError(f"there is no rule `{name}`", fix=f"{hint}`runner explain` lists them")
        console.out(rule.text())
    if not args.rules:
        for rule in all_rules():
            console.out(f"{rule.id:<32} {rule.severity:<8} {rule.sentence}")
    return 0
