"""The Go arena by address: what lies on each page, and whether the page is in memory.

A heap dump says where objects and stack frames lie; it does not say where spans begin.
So a page of Go (8 KiB) with an object is a heap span's, one with a frame is a stack span's
(no span is both), and of one with neither only MemStats knows, in sums, what it is.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runner.kinds.sources._spans import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.kinds.sources.heapdump import HeapDump
    from runner.kinds.sources.maps import Region

PARTS: Final = ("objects", "slots", "frames", "stacks", "free")
"""Objects; free slots beside them; frames; the rest of their stacks; pages with neither."""


MOST_BYTES: Final = 64 << 30
"""Of accessible mappings: more is joined page by page in minutes, and no board has it."""


class ArenaError(ValueError):
    """The arena cannot be joined; the message says why."""


@dataclass(frozen=True)
class Resident:
    """Pages in memory, as ascending stretches of addresses."""

    page_bytes: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def holds(self, address: int) -> bool:
        """Say whether the page of an address was in memory."""
        at = bisect_right(self.starts, address) - 1
        return at >= 0 and address < self.ends[at]


def resident(text: str) -> Resident | None:
    """Read what the agent says of `/proc/PID/pagemap`; None where a text is something else."""
    if not text.startswith('{"page_bytes":'):
        return None
    try:
        content = json.loads(text)
        size = int(content["page_bytes"])
        stretches = []
        for start, runs in content["resident"].items():
            at = int(start, 16)
            for number, length in enumerate(runs):
                if number % 2 and length:
                    stretches.append((at, at + length * size))
                at += length * size
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    stretches.sort()
    return Resident(size, tuple(s for s, _ in stretches), tuple(e for _, e in stretches))


@dataclass
class Arena:
    """What the accessible part of the arena holds, in bytes by part."""

    start: int = 0
    end: int = 0
    """Of the highest accessible mapping."""
    top: int = 0
    """End of the highest page in memory; 0 where that is not known."""
    unit: int = 4096
    """Bytes of one row of `rows`: the smaller of the kernel's page and Go's."""
    virtual: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    resident: dict[str, int] | None = None
    rows: list[tuple[int, bool | None, tuple[int, ...]]] = field(default_factory=list)
    """Address, in memory or not, bytes by part: for each unit, ascending."""


def join(regions: Iterable[Region], dump: HeapDump, pages: Resident | None) -> Arena:
    """Place objects and frames on the pages of the arena's mappings, `regions`."""
    open_ones = [region for region in regions if not region.reserved]
    if sum(region.size for region in open_ones) > MOST_BYTES:
        raise ArenaError(f"the arena's mappings have more than {MOST_BYTES} bytes")
    arena = Arena(unit=min(pages.page_bytes if pages else 4096, PAGE))
    if not open_ones:
        return arena
    arena.start, arena.end = open_ones[0].start, open_ones[-1].end
    arena.resident = None if pages is None else dict.fromkeys(PARTS, 0)
    unit = arena.unit
    objects = _spread(dump.addresses, dump.sizes, unit)
    frames = _spread(dump.frame_addresses, dump.frame_sizes, unit)
    used = {at * unit // PAGE for at in objects}
    stacked = {at * unit // PAGE for at in frames} - used
    for region in open_ones:
        for address in range(region.start, region.end, unit):
            at, page = address // unit, address // PAGE
            here = _parts(
                objects.get(at, 0), frames.get(at, 0), unit, page in used, page in stacked
            )
            inside = None if pages is None else pages.holds(address)
            arena.rows.append((address, inside, here))
            for name, size in zip(PARTS, here, strict=True):
                arena.virtual[name] += size
                if inside and arena.resident is not None:
                    arena.resident[name] += size
            if inside:
                arena.top = address + unit
    return arena


def _parts(
    objects: int, frames: int, unit: int, used: bool, stacked: bool
) -> tuple[int, int, int, int, int]:
    if used:
        return (objects, unit - objects, 0, 0, 0)
    if stacked:
        return (0, 0, frames, unit - frames, 0)
    return (0, 0, 0, 0, unit)


def _spread(addresses: Sequence[int], sizes: Sequence[int], unit: int) -> dict[int, int]:
    """Bytes on each unit of memory that something lies on."""
    bytes_on: dict[int, int] = {}
    for start, size in zip(addresses, sizes, strict=True):
        at, end = start, start + size
        while at < end:
            number = at // unit
            stop = min(end, (number + 1) * unit)
            bytes_on[number] = bytes_on.get(number, 0) + stop - at
            at = stop
    return bytes_on


def within(addresses: Sequence[int], sizes: Sequence[int], regions: Sequence[Region]) -> int:
    """Bytes of those that lie wholly in one of the regions, which ascend."""
    starts = [region.start for region in regions]
    total = 0
    for start, size in zip(addresses, sizes, strict=True):
        at = bisect_right(starts, start) - 1
        if at >= 0 and start + size <= regions[at].end:
            total += size
    return total
