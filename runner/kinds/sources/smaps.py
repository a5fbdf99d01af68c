"""`/proc/PID/smaps`: what of each mapping is in memory.

Source: Documentation/filesystems/proc.rst, "/proc/PID/smaps". Values are in kB there and
in bytes here. Pss divides a shared page among those who map it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources import maps
from runner.kinds.sources.interface import OF_FETCH, Closed, Found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.kinds.sources.interface import Needs, Printed
    from runner.kinds.sources.maps import Region

VALUE: Final = re.compile(r"^(?P<key>[A-Z]\w*): +(?P<kb>\d+) kB$")
SUMMED: Final = {
    "rss": "Rss",
    "pss": "Pss",
    "private_dirty": "Private_Dirty",
    "anonymous": "Anonymous",
    "swap": "Swap",
    "anon_huge": "AnonHugePages",
}
"""Quantities of a class of mappings, and what the kernel calls them."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping with its amounts in bytes, by the kernel's names."""

    region: Region
    amounts: dict[str, int]

    @property
    def rss(self) -> int:
        """Bytes that are resident, shared ones in full."""
        return self.amounts.get("Rss", 0)


def parse(text: str) -> tuple[Mapping, ...]:
    """Read smaps or smaps_rollup, in the order of addresses."""
    mappings: list[Mapping] = []
    for line in text.splitlines():
        value = VALUE.match(line)
        if value is not None:
            if mappings:
                mappings[-1].amounts[value["key"]] = int(value["kb"]) * 1024
        elif (region := maps.region(line)) is not None:
            mappings.append(Mapping(region, {}))
    return tuple(mappings)


def looks_like(text: str) -> bool:
    """Say whether a text is smaps, and not maps."""
    first, _, rest = text.partition("\n")
    return maps.LINE.match(first) is not None and VALUE.match(rest.partition("\n")[0]) is not None


def numbers(mappings: Iterable[Mapping], named: Iterable[str]) -> dict[str, int]:
    """Sum by class and in all: `smaps.<class>.rss`, `smaps.total.rss`, … in bytes."""
    # a process without a brk heap has 0 bytes of it: that is known, not missing
    sums = {f"smaps.{name}.{key}": 0 for name in ("total", *maps.CLASSES)
             for key in ("size", *SUMMED)}  # fmt: skip
    for one, name in zip(mappings, named, strict=True):
        amounts = {key: one.amounts.get(kernel, 0) for key, kernel in SUMMED.items()}
        for key, amount in {"size": one.region.size, **amounts}.items():
            for whose in (name, "total"):
                sums[f"smaps.{whose}.{key}"] += amount
    return sums


class Smaps(Closed):
    """`/proc/PID/smaps` among the pages that a trial fetched."""

    name = "smaps"
    needs: Needs = OF_FETCH
    doc = "a fetched `/proc/{pid}/smaps`: memory by class of mapping, `smaps.arena.rss`"
    known = MappingProxyType(
        {f"{name}.{key}": "B" for name in ("total", *maps.CLASSES) for key in ("size", *SUMMED)}
    )

    def parse(self, printed: Printed) -> Found:
        """Sum up the newest one."""
        readings = Found()
        for page in printed.pages:
            if page.text and looks_like(page.text):
                mappings = parse(page.text)
                named = maps.classes([one.region for one in mappings], maps.arena_of(printed))
                readings.numbers = {**numbers(mappings, named)}
        return readings


PARSER = Smaps()
