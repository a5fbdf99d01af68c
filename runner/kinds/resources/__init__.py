"""Resource kinds, one file each: what a user may declare under `system`.

A kind is found by its file: a module of this package with a `KIND`. Spec, JSON
Schema, the table in docs/kinds.md and `runner kinds` follow from it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.kinds.resources.interface import ResourceKind


_NO_KINDS = ("interface", "order")


@cache
def names() -> tuple[str, ...]:
    """Every kind by the name of its file, sorted; nothing is imported for it."""
    found = (info.name for info in pkgutil.iter_modules(__path__))
    return tuple(sorted(n for n in found if not n.startswith("_") and n not in _NO_KINDS))


def kind(name: str) -> ResourceKind:
    """Import one kind's file: most specs use two or three of the many."""
    found: ResourceKind = import_module(f"{__name__}.{name}").KIND
    return found


def kinds() -> dict[str, ResourceKind]:
    """Every kind of this package by name, in the order of their names."""
    return {name: kind(name) for name in names()}


def kinds_table() -> str:
    """Give the Markdown table of all kinds, for docs/kinds.md."""
    rows = ["| kind | declares | where the host lacks it | root |", "|---|---|---|---|"]
    rows += [
        f"| `{kind.name}` | {kind.doc} | {kind.absent} | {'yes' if kind.needs_root else 'no'} |"
        for kind in kinds().values()
    ]
    return "\n".join(rows) + "\n"
