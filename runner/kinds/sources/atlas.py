"""The memory atlas: smaps × pagemap × heap dump, joined by address.

What is joined are pages that a trial fetched one after the other, best in this order:
pagemap, smaps, heap dump, smaps again. The dump stops the world; between the others the
program goes on, and `late` and `drift` say how much that was.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources import _arena, heapdump, maps, smaps
from runner.kinds.sources.interface import OF_FETCH, Closed, Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.kinds.sources._arena import Arena, Resident
    from runner.kinds.sources.heapdump import HeapDump
    from runner.kinds.sources.interface import Needs, Page, Printed
    from runner.kinds.sources.smaps import Mapping as OneMapping

PARTS: Final = _arena.PARTS
"""What the pages of the arena are divided into, in this order everywhere."""
NO_PAGES: Final = "pagemap was not fetched: which pages are in memory is known in sums alone"


@dataclass(frozen=True)
class Joined:
    """The pages of one moment, read and joined."""

    mappings: tuple[OneMapping, ...]
    classes: tuple[str, ...]
    dump: HeapDump
    pages: Resident | None
    arena: Arena
    drift: int | None
    """Change of the resident bytes from the smaps before the dump to the one after it."""

    def regions(self, *names: str) -> list[maps.Region]:
        """Mappings of some classes, ascending; all of them where none is named."""
        pairs = zip(self.mappings, self.classes, strict=True)
        return [one.region for one, name in pairs if not names or name in names]


def join(pages: Sequence[Page]) -> Joined | None:
    """Join the newest heap dump with what was read around it; None where a part is missing.

    DumpError passes through.
    """
    at = max((i for i, page in enumerate(pages) if _is_dump(page)), default=None)
    if at is None:
        return None
    before = [text for page in pages[:at] if (text := page.text) and smaps.looks_like(text)]
    after = [text for page in pages[at:] if (text := page.text) and smaps.looks_like(text)]
    if not before and not after:
        return None
    dump = heapdump.parse(pages[at].data or b"")
    mappings = smaps.parse(before[-1] if before else after[0])
    classes = maps.classes([one.region for one in mappings], dump.params.arena)
    residents = [one for page in pages if (one := _arena.resident(page.text or "")) is not None]
    resident = residents[-1] if residents else None
    arena = [m.region for m, name in zip(mappings, classes, strict=True) if name == "arena"]
    drift = None
    if before and after:
        drift = sum(m.rss for m in smaps.parse(after[0])) - sum(m.rss for m in mappings)
    joined = _arena.join(arena, dump, resident)
    return Joined(mappings, classes, dump, resident, joined, drift)


def _is_dump(page: Page) -> bool:
    return page.data is not None and heapdump.looks_like(page.data)


def stacks(dump: HeapDump) -> dict[int, int]:
    """Give objects whose allocation was sampled: index → key of `dump.sites`.

    A small object without pointers may be one of several in a block; its block then has the
    first one's stack.
    """
    sites: dict[int, int] = {}
    for address in sorted(dump.samples):
        at = bisect_right(dump.addresses, address) - 1
        if at >= 0 and address < dump.addresses[at] + dump.sizes[at]:
            sites.setdefault(at, dump.samples[address])
    return sites


def numbers(joined: Joined) -> dict[str, float | int | None]:
    """Give the numbers of the join, bytes and shares; None is what pagemap would tell."""
    dump, arena = joined.dump, joined.arena
    total, framed = dump.object_bytes, sum(dump.frame_sizes)
    objects = (dump.addresses, dump.sizes)
    frames = (dump.frame_addresses, dump.frame_sizes)
    arenas = joined.regions("arena")
    quantities: dict[str, float | int | None] = {
        "joined_share": _share(_arena.within(*objects, arenas), total),
        "mapped_share": _share(_arena.within(*objects, joined.regions()), total),
        "brk_heap_share": _share(_arena.within(*objects, joined.regions("brk_heap")), total),
        "frames_in_arena": _share(_arena.within(*frames, arenas), framed),
        "stacked_share": _share(sum(dump.sizes[at] for at in stacks(dump)), total),
        "arena_start": arena.start,
        "arena_end": arena.end,
        "arena_extent": arena.end - arena.start,
        "arena_rss": _rss(joined, "arena"),
        "sums_share": _share(_held(dump.memstats), _rss(joined, "arena")),
        "rss": _rss(joined, *maps.CLASSES),
        "drift": joined.drift,
    }
    for name, size in arena.virtual.items():
        quantities[f"virtual.{name}"] = size
    if arena.resident is None:
        return quantities | dict.fromkeys(WITH_PAGES)
    held = sum(arena.resident.values())
    quantities |= {f"resident.{name}": size for name, size in arena.resident.items()}
    return quantities | {
        "arena_top": arena.top - arena.start,
        "arena_resident": held,
        "explained_share": _share(held - arena.resident["free"], held),
        "late": arena.virtual["objects"] - arena.resident["objects"],
    }


def _rss(joined: Joined, *names: str) -> int:
    pairs = zip(joined.mappings, joined.classes, strict=True)
    return sum(one.rss for one, name in pairs if name in names)


def _held(stats: Mapping[str, int]) -> int:
    """Give what MemStats has of the arena and not given back, in bytes."""
    return stats["HeapInuse"] + stats["StackInuse"] + stats["HeapIdle"] - stats["HeapReleased"]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


SHARES: Final = frozenset(
    {"joined_share", "mapped_share", "brk_heap_share", "frames_in_arena", "stacked_share",
     "sums_share", "explained_share"}
)  # fmt: skip
WITH_PAGES: Final = (
    "arena_top", "arena_resident", "explained_share", "late",
    *(f"resident.{name}" for name in _arena.PARTS),
)  # fmt: skip
WITHOUT: Final = (
    "joined_share", "mapped_share", "brk_heap_share", "frames_in_arena", "stacked_share",
    "arena_start", "arena_end", "arena_extent", "arena_rss", "rss", "drift",
    "sums_share", *(f"virtual.{name}" for name in _arena.PARTS),
)  # fmt: skip


def _unit(name: str) -> str:
    if name in ("arena_start", "arena_end"):
        return "1"  # addresses
    return "%" if name in SHARES else "B"


class Atlas(Closed):
    """Numbers of the join."""

    name = "atlas"
    needs: Needs = OF_FETCH
    doc = "fetched smaps, heap dump and pagemap of one moment, joined by address"
    known = MappingProxyType({name: _unit(name) for name in (*WITHOUT, *WITH_PAGES)})

    def parse(self, printed: Printed) -> Found:
        """Numbers of the newest heap dump and what was read around it."""
        readings = Found()
        try:
            joined = join(printed.pages)
        except heapdump.DumpError as fault:
            readings.why[self.name] = str(fault)
            return readings
        if joined is not None:
            readings.numbers = {f"atlas.{name}": value for name, value in numbers(joined).items()}
            readings.why = _reasons(readings.numbers)
        return readings


def _reasons(named: Mapping[str, object]) -> dict[str, str]:
    missing = [name for name, value in named.items() if value is None]
    return {
        name: "smaps was not fetched both before and after the heap dump"
        if name == "atlas.drift"
        else NO_PAGES
        for name in missing
    }


PARSER = Atlas()
