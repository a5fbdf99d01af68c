"""Go's `debug.WriteHeapDump`: every object with its address, stacks, and who allocated what.

Source: go.dev/wiki/heapdump15-through-heapdump17, and runtime/heapdump.go (Go 1.22 to 1.26),
which writes the same records. Contents are skipped: addresses and sizes are what is asked.
Records of objects that are none are left out, see `_spans`.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources import _spans
from runner.kinds.sources._memstats import memstats_unit, scaled
from runner.kinds.sources.interface import OF_FETCH, Closed, Found

if TYPE_CHECKING:
    from runner.kinds.sources.interface import Needs, Printed

HEADER: Final = re.compile(rb"go1\.[5-7] heap dump\n")
(EOF, OBJECT, OTHER_ROOT, TYPE, GOROUTINE, FRAME, PARAMS, FINALIZER, ITAB, THREAD, MEMSTATS,
 QUEUED, DATA, BSS, DEFER, PANIC, PROFILE, SAMPLE) = range(18)  # fmt: skip
MEMSTATS_NAMES: Final = (
    "Alloc", "TotalAlloc", "Sys", "Lookups", "Mallocs", "Frees", "HeapAlloc", "HeapSys",
    "HeapIdle", "HeapInuse", "HeapReleased", "HeapObjects", "StackInuse", "StackSys",
    "MSpanInuse", "MSpanSys", "MCacheInuse", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys",
    "NextGC", "LastGC", "PauseTotalNs",
)  # fmt: skip
PAUSES: Final = 256


_MASK: Final = (1 << 64) - 1
_LONGEST: Final = 70
"""Bits of ten groups of 7: no number of 64 bits needs more (encoding/binary, MaxVarintLen64)."""


class DumpError(ValueError):
    """What was given is not a heap dump, or a cut one; the message says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """One stack that allocated; the innermost function is first."""

    stack: tuple[tuple[str, str, int], ...]
    allocs: int
    frees: int


@dataclass(frozen=True)
class Params:
    """The first record: what the program and its heap are."""

    pointer_bytes: int
    arena: tuple[int, int]
    """From the lowest arena's begin to the highest one's end."""
    arch: str
    go: str


@dataclass(frozen=True)
class HeapDump:
    """A dump without its contents; addresses ascend, sizes are those of the size class."""

    params: Params
    addresses: array[int]
    sizes: array[int]
    frame_addresses: array[int]
    frame_sizes: array[int]
    goroutines: int
    memstats: dict[str, int]
    segments: dict[str, tuple[int, int]]
    """Start and size of `data` and `bss`."""
    sites: dict[int, Site]
    samples: dict[int, int]
    """Address → key of `sites`, for what the heap profiler has sampled."""
    left_out: int
    """Records of objects that are none: bitmaps at the ends of spans."""

    @property
    def object_bytes(self) -> int:
        """Bytes of all objects, each in full its size class."""
        return sum(self.sizes)


class _Reader:
    """uvarints and strings, one after the other; IndexError at the end."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def number(self) -> int:
        data, at = self.data, self.at
        byte = data[at]
        if byte < 0x80:  # most are
            self.at = at + 1
            return byte
        value, shift = byte & 0x7F, 7
        while True:
            at += 1
            byte = data[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at + 1
                return value & _MASK
            shift += 7
            if shift >= _LONGEST:
                raise DumpError(f"a number at byte {self.at} has more than ten bytes")

    def numbers(self, count: int) -> list[int]:
        return [self.number() for _ in range(count)]

    def skip(self) -> int:
        """Pass over a string and give its size."""
        size = self.number()
        self.at += size
        return size

    def text(self) -> str:
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def fields(self) -> bool:
        """Pass over a list of pointers and say whether there was one."""
        some = False
        while self.number():
            self.number()
            some = True
        return some


@dataclass
class _Records:
    """What the records have said so far."""

    params: Params = Params(8, (0, 0), "", "")
    objects: list[tuple[int, int, bool]] = field(default_factory=list)
    frames: list[tuple[int, int]] = field(default_factory=list)
    goroutines: int = 0
    memstats: dict[str, int] = field(default_factory=dict)
    segments: dict[str, tuple[int, int]] = field(default_factory=dict)
    sites: dict[int, Site] = field(default_factory=dict)
    samples: dict[int, int] = field(default_factory=dict)


def looks_like(data: bytes) -> bool:
    """Say whether these bytes begin like a heap dump."""
    return HEADER.match(data) is not None


@lru_cache(maxsize=1)  # several sources ask for the same one, step after step
def parse(data: bytes) -> HeapDump:
    """Read a whole dump; DumpError where it is none or does not reach its end."""
    head = HEADER.match(data)
    if head is None:
        raise DumpError("not a Go heap dump of version 1.5 to 1.7: the header is missing")
    read, records = _Reader(data, head.end()), _Records()
    try:
        while (tag := read.number()) != EOF:
            _record(tag, read, records)
    except IndexError as fault:
        raise DumpError(f"the heap dump is cut after {len(data)} bytes") from fault
    return _dump(records)


def params(data: bytes) -> Params | None:
    """Read only the first record, even of a dump that is cut; None where it is none."""
    head = HEADER.match(data)
    if head is None:
        return None
    read = _Reader(data, head.end())
    try:
        return _params(read) if read.number() == PARAMS else None
    except IndexError:
        return None


def _params(read: _Reader) -> Params:
    _, size, start, end = read.numbers(4)
    header = Params(size, (start, end), read.text(), read.text())
    read.number()
    return header


def _record(tag: int, read: _Reader, records: _Records) -> None:  # noqa: C901 - one branch for each record of the format
    if tag == OBJECT:
        address = read.number()
        size = read.skip()
        records.objects.append((address, size, read.fields()))
    elif tag == FRAME:
        address, _, _ = read.numbers(3)
        records.frames.append((address, read.skip()))
        read.numbers(3)
        read.skip()
        read.fields()
    elif tag == GOROUTINE:
        records.goroutines += 1
        read.numbers(8)
        read.skip()
        read.numbers(4)
    elif tag == PARAMS:
        records.params = _params(read)
    elif tag == MEMSTATS:
        records.memstats = dict(zip(MEMSTATS_NAMES, read.numbers(len(MEMSTATS_NAMES)), strict=True))
        read.numbers(PAUSES)
        records.memstats["NumGC"] = read.number()
    elif tag in (DATA, BSS):
        address = read.number()
        records.segments["data" if tag == DATA else "bss"] = (address, read.skip())
        read.fields()
    elif tag == PROFILE:
        key, _, depth = read.numbers(3)
        stack = tuple((read.text(), read.text(), read.number()) for _ in range(depth))
        records.sites[key] = Site(stack, *read.numbers(2))
    elif tag == SAMPLE:
        address, key = read.numbers(2)
        records.samples[address] = key
    elif tag == TYPE:
        read.numbers(2)
        read.skip()
        read.number()
    elif tag == OTHER_ROOT:
        read.skip()
        read.number()
    elif tag in _PLAIN:
        read.numbers(_PLAIN[tag])
    else:
        raise DumpError(f"record {tag} at byte {read.at} is none of the format's")


_PLAIN: Final = {FINALIZER: 5, ITAB: 2, THREAD: 3, QUEUED: 5, DEFER: 7, PANIC: 6}
"""Records of so many numbers."""


def _dump(records: _Records) -> HeapDump:
    records.objects.sort()
    records.frames.sort()
    real = _spans.objects(records.objects, records.params.pointer_bytes, records.params.go)
    return HeapDump(
        params=records.params,
        addresses=array("Q", [address for address, _ in real]),
        sizes=array("Q", [size for _, size in real]),
        frame_addresses=array("Q", [address for address, _ in records.frames]),
        frame_sizes=array("Q", [size for _, size in records.frames]),
        goroutines=records.goroutines,
        memstats=records.memstats,
        segments=records.segments,
        sites=records.sites,
        samples=records.samples,
        left_out=len(records.objects) - len(real),
    )


class HeapDumps(Closed):
    """Heap dumps among the pages that a trial fetched."""

    name = "heapdump"
    needs: Needs = OF_FETCH
    doc = "a fetched page of `debug.WriteHeapDump`: totals, and its own MemStats"
    known = MappingProxyType({
        "objects": "objects", "bytes": "B", "goroutines": "goroutines", "frame_bytes": "B",
        "sites": "1", "samples": "samples", "left_out": "1",
        **{f"memstats.{name}": memstats_unit(name) for name in (*MEMSTATS_NAMES, "NumGC")},
    })  # fmt: skip

    def parse(self, printed: Printed) -> Found:
        """Totals of the newest dump."""
        readings = Found()
        for page in printed.pages:
            if page.data is None or not looks_like(page.data):
                continue
            try:
                readings.numbers |= numbers(parse(page.data))
                readings.why.pop(self.name, None)
            except DumpError as fault:
                readings.why[self.name] = f"{page.name}: {fault}"
        return readings


def numbers(dump: HeapDump) -> dict[str, float | int]:
    """Give totals: `heapdump.objects`, `heapdump.bytes`, `heapdump.memstats.HeapAlloc`."""
    return {
        "heapdump.objects": len(dump.addresses),
        "heapdump.bytes": dump.object_bytes,
        "heapdump.goroutines": dump.goroutines,
        "heapdump.frame_bytes": sum(dump.frame_sizes),
        "heapdump.sites": len(dump.sites),
        "heapdump.samples": len(dump.samples),
        "heapdump.left_out": dump.left_out,
        **{f"heapdump.memstats.{name}": scaled(name, n) for name, n in dump.memstats.items()},
    }


PARSER = HeapDumps()
