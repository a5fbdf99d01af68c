"""Names of things that are measured, checked before anything runs.

A reference is `family.name`. What a family offers is said by its file in
`runner/sources/`, which is imported only when a spec names it; here stands what no
source gives: the load, the search, the workload's own state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.kinds import discovery
from runner.kinds.sources import module, names
from runner.kinds.units import CLOSED, OPEN, without_statistic
from runner.spec.base import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

ELSEWHERE = {
    "facts": "a fact is not measured: put it under `requires`, or into a claim's `must`",
    "sysctl": "a sysctl is not measured: put it under `requires`, or into a claim's `must`",
    "metrics": "name another metric in `compute` or in a claim's `expect`",
    "thermal": "the board's sensor is `board.temperature`",
    "sampler": "the sampler's own cost stands in every report",
}
"""Families that one may look for, and what to write instead."""

STATISTICS = ("max", "min", "mean", "median", "last", "first", "sum", "count")
"""How several samples, or several steps, become one number."""

_LONG = 8


def families() -> list[str]:
    """Every family that a reference may start with."""
    return [*CLOSED, *names(), *OPEN]


def check_reference(text: str, also: Sequence[str] = ()) -> str | None:
    """Say what is wrong with a reference, or None; `also` are names that only here are meant."""
    family, dot, name = text.partition(".")
    if family in ELSEWHERE:
        return f"`{family}` is not a source: {ELSEWHERE[family]}"
    if family not in families() and not discovery.known("sources", family):
        return f"unknown source `{family}`{did_you_mean(family, families())}"
    offered, begins = _offered(family)
    known = (*also, *offered)
    if not dot or not name:
        return f"`{text}` names a source but no quantity of it" + did_you_mean("", known)
    stem = without_statistic(name)
    if name in known or stem in known:
        return None
    if not any(name.startswith(start) and len(name) > len(start) for start in begins):
        more = [f"{start}…" for start in begins]
        said = did_you_mean(name, [*known, *more]) or "; `runner kinds` lists what there is"
        return f"source `{family}` has no `{name}`{said}"
    # of as many parts: the benchmark X of gobench.X.ns_per_op is no slip of the hand
    parts = stem.count(".")
    near = next((x for x in known if x.count(".") == parts and slip(stem, x)), None)
    return f"source `{family}` has no `{name}`; did you mean `{near}`?" if near else None


def _offered(family: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that a family has by its own word, and what others begin with ("": anything)."""
    if family in CLOSED:
        return tuple(CLOSED[family]), ()
    if family in OPEN:
        return (), ("",)
    file = module(family)
    sampled, parsed = getattr(file, "KIND", None), getattr(file, "PARSER", None)
    known = (*sampled.fields({}), *sampled.derived) if sampled else ()
    return (*known, *(parsed.known if parsed else ())), parsed.open if parsed else ()


def slip(a: str, b: str) -> bool:
    """Whether two names differ by one or two slips of the hand; digits are meant.

    Optimal string alignment distance: insert, delete, replace, swap neighbours.
    """
    if abs(len(a) - len(b)) > 2 or a.rstrip("0123456789") == b.rstrip("0123456789"):
        return False  # the rest would take the product of their lengths
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1] <= (1 if len(b) < _LONG else 2)
