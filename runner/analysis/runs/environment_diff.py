"""What differs between two runs beside their numbers: facts of the host, then what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.planning.facts import MOVING
from runner.spec.expand import SAID_ONLY, expand

if TYPE_CHECKING:
    from runner.analysis.runs.side import Side
    from runner.records.plain import Json

VOLATILE: Final = (*MOVING, "boot_id", "net.interfaces", "host.name")
"""Facts that are never the same twice."""
SKIPPED: Final = frozenset(SAID_ONLY) - {"metrics"} | {"name"}
"""Sections that say nothing of how the numbers came about."""


def environment(a: Side, b: Side) -> tuple[tuple[str, str, str], ...]:
    """Name what differs between the two beside the metrics: facts, then what was asked."""
    differences: list[tuple[str, Json, Json]] = []
    if a.run != b.run or not a.run:
        differences += [
            (name, a.facts.get(name), b.facts.get(name))
            for name in sorted({*a.facts, *b.facts})
            if not name.startswith(VOLATILE)
        ]
    one, other = (
        flat(
            {
                name: section
                for name, section in expand(side.experiment).items()
                if name not in SKIPPED
            }
        )
        for side in (a, b)
    )
    differences += [(f"spec.{k}", one.get(k), other.get(k)) for k in {**one, **other}]
    differences += [(f"factor.{k}", a.where.get(k), b.where.get(k)) for k in {**a.where, **b.where}]
    return tuple((name, written(x), written(y)) for name, x, y in differences if x != y)


def flat(value: Json, path: str = "") -> dict[str, Json]:
    """Write nested data as `load.steps.0.connections: 100`."""
    if isinstance(value, dict):
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(str(at), item) for at, item in enumerate(value)]
    else:
        return {path: value}
    flattened: dict[str, Json] = {}
    for key, item in pairs:
        flattened |= flat(item, f"{path}.{key}" if path else key)
    return flattened


def written(value: Json) -> str:
    """Write a value of a fact or a spec for a reader."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value) or "none"
    return str(value)
