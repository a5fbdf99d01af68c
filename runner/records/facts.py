"""Which facts make a machine that machine, whatever state a run brings it to. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.plain import Json

MACHINE: Final = (
    "arch", "os.bits", "board.model", "board.revision", "board.memory", "cpu.model", "cpu.possible",
    "cpu.count", "kernel.release", "kernel.version", "os.id", "os.version_id", "os.pretty_name",
)  # fmt: skip
"""CPUs, board, kernel and userland: a run that goes on elsewhere would measure another machine."""


def emulated(facts: Mapping[str, object]) -> bool:
    """Whether the machine is emulated: its times say nothing."""
    return facts.get("emulated") is True


def table(facts: Mapping[str, Json], name: str) -> dict[str, Json]:
    """Give a fact that is a mapping; empty where it is not known, or is none."""
    value = facts.get(name)
    return value if isinstance(value, dict) else {}


def places(facts: Mapping[str, Json], name: str) -> dict[str, str]:
    """Give a fact that is a mapping of texts, without what is none."""
    return {key: item for key, item in table(facts, name).items() if isinstance(item, str)}


def words(facts: Mapping[str, Json], name: str) -> list[str]:
    """Give a fact that is a list of words; empty where it is not known, or is none."""
    value = facts.get(name)
    known = value if isinstance(value, list | tuple) else ()
    return [item for item in known if isinstance(item, str)]


def amount(facts: Mapping[str, Json], name: str) -> float | int | None:
    """Give a fact that is a number; None where it is not known, or is none."""
    value = facts.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def machine_id(facts: Mapping[str, Json]) -> str:
    """Give a short name of the machine that has these facts: the same for the same ones."""
    lines = "\n".join(f"{name}={facts.get(name)}" for name in MACHINE)
    return hashlib.sha256(lines.encode(errors="backslashreplace")).hexdigest()[:12]


def other_machine(
    before: Mapping[str, Json], now: Mapping[str, Json], *, but: frozenset[str] = frozenset()
) -> list[str]:
    """Say what makes the machine of `now` another one than that of `before`; empty: it is the same.

    A fact that one of both does not know says nothing, and neither do those of `but`.
    """
    return [
        f"{name} was {before[name]}, is {now[name]}"
        for name in MACHINE
        if name not in but
        and before.get(name) is not None
        and now.get(name) is not None
        and before[name] != now[name]
    ]
