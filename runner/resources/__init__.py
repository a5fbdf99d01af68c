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
    from runner.resources.interface import ResourceKind


@cache
def kinds() -> dict[str, ResourceKind]:
    """Every kind of this package by name, in the order of their names."""
    found: dict[str, ResourceKind] = {}
    for info in pkgutil.iter_modules(__path__):
        kind = getattr(import_module(f"{__name__}.{info.name}"), "KIND", None)
        if kind is not None:
            found[kind.name] = kind
    return dict(sorted(found.items()))


def kinds_table() -> str:
    """Give the Markdown table of all kinds, for docs/kinds.md."""
    rows = ["| kind | declares | where the host lacks it | root |", "|---|---|---|---|"]
    rows += [
        f"| `{kind.name}` | {kind.doc} | {kind.absent} | {'yes' if kind.needs_root else 'no'} |"
        for kind in kinds().values()
    ]
    return "\n".join(rows) + "\n"
