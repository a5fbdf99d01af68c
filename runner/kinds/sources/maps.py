"""`/proc/PID/maps`: which addresses a process has, and what each area is for.

Source: proc_pid_maps(5). Where a Go program puts its arena is in runtime/malloc.go,
mallocinit: hints from 0x00c0<<32 on, on arm64 from 0x0040<<32 on. From Go 1.26 on the base
is random, and only a heap dump tells it, or a kernel with CONFIG_ANON_VMA_NAME, where the
runtime names its areas from Go 1.25 on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources import heapdump
from runner.kinds.sources.interface import OF_FETCH, Closed, Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.kinds.sources.interface import Needs, Printed

LINE: Final = re.compile(
    r"^(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) (?P<perms>[r-][w-][x-][ps]) (?P<offset>[0-9a-f]+) "
    r"(?P<device>[0-9a-f]+:[0-9a-f]+) (?P<inode>\d+) *(?P<name>.*)$"
)
HINTS: Final = (0x4000000000, 0xC000000000)
HINT_BYTES: Final = 1 << 36
"""Above each hint: less than what lies between it and anything else of a process."""

CLASSES: Final = {
    "arena": "Go arena",
    "runtime": "Go runtime's own",
    "text": "text",
    "rodata": "rodata and pclntab",
    "data": "data and bss",
    "library": "libraries",
    "brk_heap": "[heap] (brk)",
    "stack": "first thread's stack",
    "kernel": "kernel's pages",
    "file": "other files",
}
"""Every mapping is in one of these."""


@dataclass(frozen=True, slots=True)
class Region:
    """One mapping: bytes from `start` up to, not including, `end`."""

    start: int
    end: int
    perms: str
    offset: int
    inode: int
    name: str

    @property
    def size(self) -> int:
        """Bytes of address space."""
        return self.end - self.start

    @property
    def reserved(self) -> bool:
        """Address space that nothing may touch: it holds no memory."""
        return self.perms.startswith("---")


def region(line: str) -> Region | None:
    """Read one line; None where it is none."""
    match = LINE.match(line)
    if match is None:
        return None
    return Region(
        int(match["start"], 16),
        int(match["end"], 16),
        match["perms"],
        int(match["offset"], 16),
        int(match["inode"]),
        match["name"].strip(),
    )


def parse(text: str) -> tuple[Region, ...]:
    """Read the whole file, in the order of addresses."""
    return tuple(mapping for line in text.splitlines() if (mapping := region(line)))


def classes(regions: Sequence[Region], arena: tuple[int, int] | None = None) -> tuple[str, ...]:
    """Class every mapping; `arena` is what the program itself says of it, where it does.

    The first file is the program. What has no name belongs to the area it adjoins (the
    bss of a file), else to the Go runtime, which asks the system for everything itself.
    """
    program = next((r.name for r in regions if r.name.startswith("/")), "")
    names: list[str] = []
    for at, here in enumerate(regions):
        if not here.name:
            before = regions[at - 1] if at else None
            names.append(_nameless(here, arena, before, names[-1] if names else ""))
        elif here.name.startswith("["):
            names.append(_named(here.name))
        elif here.name == program:
            names.append(_part(here.perms))
        else:
            library = re.search(r"\.so(\.|$)", here.name.rpartition("/")[2]) is not None
            names.append("library" if library else "file")
    return tuple(names)


def _nameless(
    here: Region, arena: tuple[int, int] | None, before: Region | None, its_class: str
) -> str:
    if in_arena(here, arena):
        return "arena"
    adjoins = before is not None and before.end == here.start
    return its_class if adjoins and its_class in {"data", "library", "brk_heap"} else "runtime"


def in_arena(here: Region, arena: tuple[int, int] | None) -> bool:
    """Say whether a nameless mapping is of the arena, by its bounds or by Go's hints."""
    if arena is not None:
        return arena[0] <= here.start < arena[1]
    return any(hint <= here.start < hint + HINT_BYTES for hint in HINTS)


def _named(name: str) -> str:
    if name == "[heap]":
        return "brk_heap"
    if name.startswith("[stack"):
        return "stack"
    if name.startswith("[anon: Go: heap"):
        return "arena"
    return "runtime" if name.startswith("[anon") else "kernel"


def _part(perms: str) -> str:
    if "x" in perms:
        return "text"
    return "data" if "w" in perms else "rodata"


def numbers(regions: Iterable[Region], named: Iterable[str]) -> dict[str, int]:
    """Count mappings and sum their bytes: `maps.count`, `maps.<class>.size`."""
    sums = {"maps.count": 0, **{f"maps.{name}.size": 0 for name in CLASSES}}
    for here, name in zip(regions, named, strict=True):
        sums["maps.count"] += 1
        sums[f"maps.{name}.size"] += here.size
    return sums


class Maps(Closed):
    """`/proc/PID/maps` or smaps among the pages that a trial fetched."""

    name = "maps"
    needs: Needs = OF_FETCH
    doc = "a fetched `/proc/{pid}/maps`: mappings, and address space by class"
    known = MappingProxyType({"count": "mappings", **{f"{name}.size": "B" for name in CLASSES}})

    def parse(self, printed: Printed) -> Found:
        """Count the newest one."""
        readings = Found()
        for page in printed.pages:
            regions = parse(page.text) if page.text and region(page.text.split("\n", 1)[0]) else ()
            if len(regions) > 1:  # smaps_rollup has a single line of that form
                readings.numbers = {**numbers(regions, classes(regions, arena_of(printed)))}
        return readings


def arena_of(printed: Printed) -> tuple[int, int] | None:
    """Give the bounds of the arena as a heap dump among the pages has them."""
    known = (heapdump.params(page.data) for page in printed.pages if page.data is not None)
    return next((params.arena for params in known if params is not None), None)


PARSER = Maps()
