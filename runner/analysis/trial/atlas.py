"""The memory atlas of a step as plain data: what the figures and the table are made of.

`Step.atlas` is this, small enough for analysis.json; the heap dump itself stays in the
trial's events. Bytes everywhere, addresses as numbers, shares of a cell in percent.

    {"go", "arch", "goroutines", "left_out",
     "areas": [[start, end, class, reserved, rss, pss, private_dirty], …],   ascending
     "arena": {"start", "end", "top", "cell": bytes of a cell,
               "cells": [[objects, slots, frames, stacks, free, absent], …]},
     "virtual": {part: bytes}, "resident": {part: bytes} | null,
     "shares": {…}, "memstats": {…}, "kernel": {…},
     "sizes": [[size class, objects, bytes], …], "sites": [[function, caller, objects, bytes], …],
     "flame": {"what", "total", "tree": [function, bytes, [children]]} | null}
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final

from runner.analysis.trial import pages
from runner.kinds.sources import atlas, heapdump, pprof
from runner.kinds.sources.atlas import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.kinds.sources._arena import Arena
    from runner.kinds.sources.atlas import Joined
    from runner.kinds.sources.interface import Page
    from runner.records.events import AnyEvent

CELLS: Final = 640
SIZES: Final = 12
SITES: Final = 12
SMALLEST: Final = 0.003
"""Share of the whole below which a branch of the flame graph is not kept."""
DEEPEST: Final = 32
MEMSTATS: Final = (
    "HeapAlloc", "HeapObjects", "HeapSys", "HeapIdle", "HeapInuse", "HeapReleased", "StackInuse",
    "MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys", "Sys", "NextGC", "NumGC",
)  # fmt: skip
STATUS: Final = re.compile(r"^VmPTE:\s+(\d{1,15}) kB$", re.MULTILINE)
NUMBER: Final = re.compile(r"[0-9]{1,18}")
GROUP: Final = {"rss": "anon", "cache": "file", "anon": "anon", "file": "file", "kernel": "kernel"}
"""Lines of memory.stat: v1 says rss and cache, v2 anon, file and kernel."""


def of_step(events: Sequence[AnyEvent], index: int) -> dict[str, object] | None:
    """Make the atlas of a step; None where it has no heap dump with smaps beside it."""
    fetched = pages.of_step(events, index)
    try:
        joined = atlas.join(fetched)
    except ValueError:  # a dump that is none, or an arena that no board has
        return None
    if joined is None:
        return None
    dump = joined.dump
    numbers = atlas.numbers(joined)
    shares = ("joined_share", "frames_in_arena", "brk_heap_share", "stacked_share",
              "explained_share", "sums_share", "late", "drift")  # fmt: skip
    return {
        "go": dump.params.go,
        "arch": dump.params.arch,
        "goroutines": dump.goroutines,
        "left_out": dump.left_out,
        "areas": _areas(joined),
        "arena": _arena(joined.arena),
        "virtual": joined.arena.virtual,
        "resident": joined.arena.resident,
        "shares": {name: numbers.get(name) for name in shares},
        "memstats": {name: dump.memstats[name] for name in MEMSTATS if name in dump.memstats},
        "kernel": _kernel(fetched),
        "sizes": _sizes(dump),
        "sites": _sites(dump),
        "flame": _flame(fetched),
    }


def _areas(joined: Joined) -> list[list[object]]:
    """Neighbours of one class and one kind become one area."""
    found: list[_Area] = []
    for one, name in zip(joined.mappings, joined.classes, strict=True):
        region = one.region
        amounts = [one.amounts.get(key, 0) for key in ("Rss", "Pss", "Private_Dirty")]
        last = found[-1] if found else None
        if last and last.end == region.start and last.kind == (name, region.reserved):
            last.end = region.end
            last.amounts = [a + b for a, b in zip(last.amounts, amounts, strict=True)]
        else:
            found.append(_Area(region.start, region.end, (name, region.reserved), amounts))
    return [[one.start, one.end, *one.kind, *one.amounts] for one in found]


@dataclass
class _Area:
    start: int
    end: int
    kind: tuple[str, bool]
    amounts: list[int]


def _arena(arena: Arena) -> dict[str, object]:
    """Fold the pages of the arena into at most CELLS cells of equal size, ascending."""
    count = len(arena.rows)
    every = max(1, -(-count // CELLS))
    cells = [_cell(arena.rows[at : at + every], arena.unit) for at in range(0, count, every)]
    return {
        "start": arena.start,
        "end": arena.end,
        "top": arena.top or None,
        "cell": every * arena.unit,
        "cells": cells,
    }


def _cell(rows: Sequence[tuple[int, bool | None, tuple[int, ...]]], unit: int) -> list[int]:
    """Percent of a cell by part, of what is in memory; the last number is what is not."""
    held = [sum(parts[i] for _, inside, parts in rows if inside is not False)
            for i in range(len(PARTS))]  # fmt: skip
    whole = len(rows) * unit
    return [round(100 * size / whole) for size in (*held, whole - sum(held))]


def _kernel(fetched: Sequence[Page]) -> dict[str, int]:
    """Read what is charged beside the resident pages: page tables, the group's kinds."""
    found: dict[str, int] = {}
    for page in fetched:
        text = page.text or ""
        if (status := STATUS.search(text)) is not None:
            found["page_tables"] = int(status[1]) * 1024
        if page.name == "kmem" and NUMBER.fullmatch(text.strip()):
            found["kernel"] = int(text)
        for line in text.splitlines() if page.name == "memory_stat" else ():
            key, _, value = line.partition(" ")
            if key in GROUP and NUMBER.fullmatch(value):
                found[GROUP[key]] = int(value)
    return found


def _sizes(dump: heapdump.HeapDump) -> list[list[int]]:
    """Give the size classes that hold the most bytes."""
    counts = Counter(dump.sizes)
    rows = [[size, count, size * count] for size, count in counts.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:SIZES]


def _sites(dump: heapdump.HeapDump) -> list[list[object]]:
    """Give who allocated the most: the first function that is not the runtime's, its caller."""
    whose = {key: _allocator(site) for key, site in dump.sites.items()}
    counts: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for at, key in atlas.stacks(dump).items():
        who = whose.get(key, ("?", ""))
        counts[who] += 1
        sizes[who] += dump.sizes[at]
    largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:SITES]
    return [[*who, counts[who], size] for who, size in largest]


def _allocator(site: heapdump.Site) -> tuple[str, str]:
    # an inlined call has its caller's name in a dump: one function then stands twice
    names = [name for name, _ in groupby(name for name, _, _ in site.stack)]
    own = next((i for i, name in enumerate(names) if not name.startswith("runtime.")), 0)
    return (names[own] if names else "?", names[own + 1] if len(names) > own + 1 else "")


def _flame(fetched: Sequence[Page]) -> dict[str, object] | None:
    """Fold the newest heap profile into a tree, outermost function first."""
    for page in reversed(fetched):
        if page.data is None or not page.data.startswith(pprof.GZIP):
            continue
        try:
            profile = pprof.parse(page.data)
            what = profile.index("inuse_space")
        except (pprof.ProfileError, KeyError):
            continue
        return {"what": "inuse_space", **folded(profile, what)}
    return None


def folded(profile: pprof.Profile, what: int) -> dict[str, object]:
    """Sum one column of a profile by stack; branches below SMALLEST of the whole are left out."""
    root = _Node()
    for sample in profile.samples:
        value = sample.values[what]
        if value <= 0:
            continue
        node = root
        node.value += value
        for frame in sample.stack[: -DEEPEST - 1 : -1]:
            node = node.calls.setdefault(frame.function, _Node())
            node.value += value
    return {"total": root.value, "tree": _branch("heap", root, root.value * SMALLEST)}


@dataclass
class _Node:
    value: int = 0
    calls: dict[str, _Node] = field(default_factory=dict)


def _branch(name: str, node: _Node, least: float) -> list[object]:
    calls = sorted(node.calls.items(), key=lambda item: (-item[1].value, item[0]))
    kept = [_branch(key, call, least) for key, call in calls if call.value >= least]
    return [name, node.value, kept]
