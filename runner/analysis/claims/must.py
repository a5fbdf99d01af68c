"""Facts that a claim declares against facts that were observed.

A source writes `1.22`, `32MiB` or `Raspberry Pi 4 Model B`; a host says
`go1.22.10`, 33554432 or `Raspberry Pi 4 Model B Rev 1.4`. Equal is what a
careful reader would call the same; everything else differs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.planning.ids import shown
from runner.records.quantities import BYTES, COUNT, QuantityError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.records.plain import Json

_TRUTHS = {
    "true": True, "on": True, "yes": True, "1": True,
    "false": False, "off": False, "no": False, "0": False,
}  # fmt: skip
_VERSION = re.compile(r"(?:go|v)?(\d+(?:\.\d+)+)", re.IGNORECASE)


@dataclass(frozen=True)
class Fact:
    """One fact of a claim's `must` list."""

    name: str
    declared: str
    observed: str
    equal: bool | None
    """None where the source is silent; an unobserved fact is not equal."""

    def row(self) -> tuple[str, str, str, bool | None]:
        """Give it as `ClaimResult.facts` holds it."""
        return self.name, self.declared, self.observed, self.equal


def table(
    must: Iterable[str], declared: Mapping[str, Json], observed: Mapping[str, Json | Varied]
) -> tuple[Fact, ...]:
    """Compare every fact that has to match."""
    rows = []
    everywhere = resolved(observed, {})
    for name in must:
        seen = everywhere.get(name)
        shown = "not observed" if seen is None else _shown(seen)
        if declared.get(name) is None:
            rows.append(Fact(name, "not declared", shown, None))
        else:
            rows.append(Fact(name, _shown(declared[name]), shown, same(declared[name], seen)))
    return tuple(rows)


@dataclass(frozen=True)
class Varied:
    """A fact that treatments differ in: its value in each, with the treatment's levels."""

    values: tuple[tuple[Mapping[str, str], Json], ...]

    def at(self, where: Mapping[str, str]) -> Json:
        """Give the value in the treatments that `where` chooses; all of them where it differs."""
        chosen = [
            (levels, value)
            for levels, value in self.values
            if all(levels.get(factor, level) == level for factor, level in where.items())
        ]
        if len({_shown(value) for _, value in chosen}) == 1:
            return chosen[0][1]
        return [f"{_shown(value)} ({shown(levels)})" for levels, value in chosen]


def resolved(observed: Mapping[str, Json | Varied], where: Mapping[str, str]) -> dict[str, Json]:
    """Give the facts of the treatments that `where` chooses."""
    return {
        name: value.at(where) if isinstance(value, Varied) else value
        for name, value in observed.items()
    }


def same(declared: Json, observed: Json) -> bool:
    """Whether an observed value is what was declared; False where nothing was observed."""
    if observed is None:
        return False
    if isinstance(declared, bool) or isinstance(observed, bool):
        return _truth(declared) is not None and _truth(declared) == _truth(observed)
    if isinstance(observed, (list, tuple, set)):
        wanted = declared if isinstance(declared, (list, tuple, set)) else [declared]
        return sorted(map(_shown, wanted)) == sorted(map(_shown, observed))
    wanted_text, seen = _shown(declared).strip(), _shown(observed).strip()
    if wanted_text.casefold() == seen.casefold():
        return True
    if _version(wanted_text, seen) or _amount(declared, observed):
        return True
    # a board's model ends in the revision of its circuit board
    return seen.casefold().startswith(f"{wanted_text.casefold()} rev ")


def _truth(value: Json) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(str(value).lower())


def _version(declared: str, seen: str) -> bool:
    """`1.22` declares every 1.22.x; `1.22.10` only itself."""
    one, other = _VERSION.fullmatch(declared), _VERSION.fullmatch(seen)
    if one is None or other is None:
        return False
    wanted, version = one[1].split("."), other[1].split(".")
    return version[: len(wanted)] == wanted


def _amount(declared: Json, observed: Json) -> bool:
    try:
        # what is neither text nor a number, parse refuses
        one, other = (
            parse(value if isinstance(value, int | float) else str(value))
            for value in (declared, observed)
        )
    except QuantityError:
        return False
    kinds = {one.dimension, other.dimension}
    # the kernel gives sizes as bare numbers of bytes
    return one.exact == other.exact and (len(kinds) == 1 or kinds == {BYTES, COUNT})


def _shown(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, set)):
        return ", ".join(sorted(map(str, value)))
    return f"{value:g}" if isinstance(value, float) else str(value)
