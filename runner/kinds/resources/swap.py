"""swap: which swap areas are in use, whoever made them (zram, file, partition).

What there is comes from /proc/swaps and not from the tool of a distribution
(dphys-swapfile, rpi-swap, zram-tools). The priority is put back with the area.
Without one an area gets a negative priority by the order of swapon(2), which
cannot be asked for: it is put back by turning the areas on in their old order.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictInt, StringConstraints

from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Root,
    Unknown,
    Values,
    no_switch,
)

_TABLE = "swap:table"
Device = Annotated[str, StringConstraints(pattern=r"^/[^\n\x00]*$")]


def _off(value: object) -> object:
    return no_switch(value, "on", "off")


class Area(Frozen):
    """One area that is to be in use."""

    priority: Annotated[StrictInt, Field(ge=0, le=32767)] | None = Field(
        None, description="higher ones are used first"
    )


class SwapModel(
    Root[
        Annotated[
            Literal["off"] | dict[Device, Literal["off"] | Area],
            BeforeValidator(_off),
        ]
    ]
):
    """`swap: "off"`, or by area: `{/dev/zram0: "off", /var/swap: {priority: 5}}`."""


def areas(table: str) -> dict[str, int]:
    """Read /proc/swaps: path → priority, in the kernel's order. Blanks come as octal."""
    priorities: dict[str, int] = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) >= 5 and words[4].lstrip("-").isdecimal():
            path = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), words[0])
            priorities[path.removesuffix(" (deleted)")] = int(words[4])
    return priorities


def _known(facts: Facts, values: Values) -> dict[str, int] | None:
    table = values.get(_TABLE)
    if isinstance(table, str):
        return areas(table)
    listed = facts.get("swap.devices")
    if listed is None:
        return None
    return {str(one.get("path") or one.get("name")): int(one["priority"]) for one in listed}


class Swap:
    """Swap areas."""

    name = "swap"
    doc = '`"off"` for all, or by area: `{/var/swap: {priority: 5}, /dev/zram0: "off"}`'
    absent = "nothing to do where no swap is in use"
    fixed = ""
    sets: tuple[str, ...] = ("swap.", "memory.swap_")
    needs_root = True
    Model = SwapModel

    def candidates(self, payload: SwapModel) -> list[Json]:
        """Read the kernel's table, and the areas that are named."""
        table = Cell(id=_TABLE, via="pseudo", path="/proc/swaps", form="words")
        named = payload.root if isinstance(payload.root, dict) else {}
        return [
            table.to_json(),
            *(self._cell(path).to_json() for path in named),
        ]

    def _cell(self, path: str, **more: Any) -> Cell:
        return Cell(id=f"swap:{path}", via="swap", path=path, **more)

    def plan(self, payload: SwapModel, facts: Facts, values: Values) -> Planned:
        """One cell an area."""
        now = _known(facts, values)
        if now is None:
            return Unknown("swap.devices")
        declared = payload.root
        wanted: dict[str, Any] = (
            declared if isinstance(declared, dict) else dict.fromkeys(now, "off")
        )
        cells: list[Cell] = []
        # the highest priority goes last, so that putting back starts with it
        for path, area in sorted(wanted.items(), key=lambda item: now.get(item[0], 0)):
            observed = {"priority": now[path]} if path in now else None
            want: dict[str, int] | None = None
            if isinstance(area, Area):
                # in use is enough where no priority is asked for
                want = {} if area.priority is None else {"priority": area.priority}
            cells.append(self._cell(path, want=want, observed=observed))
        return cells


KIND = Swap()
