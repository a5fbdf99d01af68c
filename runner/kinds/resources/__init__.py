"""Resource kinds, one file each: what a user may declare under `system`.

A kind is found by its file: a module of this package with a `KIND`. Spec, JSON
Schema, the table in docs/kinds.md and `runner kinds` follow from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.kinds import discovery

if TYPE_CHECKING:
    from runner.kinds.resources.interface import ResourceKind


def names() -> tuple[str, ...]:
    """Every kind of runner's own by the name of its file, sorted; nothing is imported for it."""
    return discovery.ours("resources")


def kind(name: str) -> ResourceKind:
    """Import one kind's file: most specs use two or three of the many."""
    resource: ResourceKind = discovery.module("resources", name).KIND
    return resource


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
