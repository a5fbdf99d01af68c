"""Profiles of `net/http/pprof`: gzip'd protobuf → samples with their stacks.

Source: github.com/google/pprof, proto/profile.proto (field numbers as there), and
protobuf.dev/programming-guides/encoding for the wire. Only what the numbers and the flame
graph need is read; a profile holds no addresses of objects.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources.interface import OF_FETCH, Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.kinds.sources.interface import Needs, Printed

GZIP: Final = b"\x1f\x8b"
MOST_BYTES: Final = 256 << 20
"""A profile that unpacks to more is refused: nobody's heap has that many stacks."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST: Final = 70
"""Bits of ten groups of 7: what a number of 64 bits takes at most."""
SIZES: Final = {"nanoseconds": (1, 10**9), "microseconds": (1, 10**6), "milliseconds": (1, 1000),
                "kilobytes": (1024, 1), "megabytes": (1 << 20, 1)}  # fmt: skip
"""Units of sample types that are not base units (pprof, internal/measurement)."""
SHORT: Final = {"space": "bytes", "goroutine": "count", "threadcreate": "count"}


class ProfileError(ValueError):
    """What was given is not a profile; the message says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One place in the program."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one stack, one for each type of the profile; the innermost frame is first."""

    stack: tuple[Frame, ...]
    values: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """A parsed profile; `types` are (what, unit), such as (inuse_space, bytes)."""

    types: tuple[tuple[str, str], ...]
    samples: tuple[Sample, ...]
    period: int

    def index(self, what: str) -> int:
        """Give the column of a type; KeyError where the profile has none of that name."""
        for at, (name, _) in enumerate(self.types):
            if name == what:
                return at
        raise KeyError(what)

    def total(self, what: str) -> int:
        """Sum one type over all samples."""
        at = self.index(what)
        return sum(sample.values[at] for sample in self.samples)


def parse(data: bytes) -> Profile:
    """Read a profile, packed or not; ProfileError where it is none."""
    try:
        raw = _unpacked(data) if data.startswith(GZIP) else data
        return _profile(raw)
    except (zlib.error, IndexError, KeyError, UnicodeDecodeError) as fault:
        raise ProfileError(f"not a profile of pprof: {fault}") from fault


def _unpacked(data: bytes) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    raw = unpack.decompress(data, MOST_BYTES)
    if not unpack.eof:
        raise ProfileError(f"the profile is cut, or unpacks to more than {MOST_BYTES} bytes")
    return raw


def _profile(raw: bytes) -> Profile:
    parts: dict[int, list[bytes]] = defaultdict(list)
    period = 0
    for number, value in _fields(raw):
        if isinstance(value, bytes):
            parts[number].append(value)
        elif number == 12:
            period = value
    strings = [part.decode() for part in parts[6]]
    kinds = [_scalars(part) for part in parts[1]]
    types = tuple((strings[kind[1]], strings[kind[2]]) for kind in kinds)
    functions = {function[1]: function for part in parts[5] if (function := _scalars(part))}
    places = dict(_location(part, functions, strings) for part in parts[4])
    samples = tuple(_sample(part, places, len(types)) for part in parts[2])
    if not types:
        raise ProfileError("not a profile of pprof: it names no type of sample")
    return Profile(types, samples, period)


def _location(
    part: bytes, functions: dict[int, dict[int, int]], strings: list[str]
) -> tuple[int, tuple[Frame, ...]]:
    """Give a location's id and its frames: more than one where calls were inlined."""
    known = _scalars(part)
    frames = []
    for number, value in _fields(part):
        if number == 4 and isinstance(value, bytes):
            line = _scalars(value)
            function = functions[line[1]]
            frames.append(
                Frame(strings[function.get(2, 0)], strings[function.get(4, 0)], line.get(2, 0))
            )
    return known[1], tuple(frames) or (Frame(f"0x{known.get(3, 0):x}", "", 0),)


def _sample(part: bytes, places: dict[int, tuple[Frame, ...]], width: int) -> Sample:
    ids: list[int] = []
    values: list[int] = []
    for number, value in _fields(part):
        if number in (1, 2):
            into = ids if number == 1 else values
            into += [value] if isinstance(value, int) else list(_varints(value))
    if len(values) != width:
        raise ProfileError(f"not a profile of pprof: a sample has {len(values)} values of {width}")
    signed = tuple(value - (1 << 64) if value >> 63 else value for value in values)
    return Sample(tuple(frame for one in ids for frame in places[one]), signed)


def _scalars(raw: bytes) -> dict[int, int]:
    return {number: value for number, value in _fields(raw) if isinstance(value, int)}


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give every field of a message with its number; IndexError where it is cut."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(raw, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(raw, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ProfileError(f"not a profile of pprof: wire type {kind}")
        if at + size > len(raw):
            raise IndexError("it ends in the middle of a field")
        yield number, raw[at : at + size]
        at += size


def _varints(raw: bytes) -> Iterator[int]:
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Read base 128, low groups first; IndexError where it is cut."""
    value = shift = 0
    while shift < _LONGEST:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise ProfileError("not a profile of pprof: a number has more than ten bytes")


def numbers(profile: Profile, name: str) -> dict[str, float | int]:
    """Give totals: `pprof.heap.inuse_bytes`, `pprof.goroutine.count`, `pprof.heap.stacks`."""
    totals: dict[str, float | int] = {f"pprof.{name}.stacks": len(profile.samples)}
    for what, unit in profile.types:
        stem, _, last = what.rpartition("_")
        short = SHORT.get(last, last)
        full = f"pprof.{name}.{f'{stem}_{short}' if stem else short}"
        above, below = SIZES.get(unit, (1, 1))
        total = profile.total(what) * above
        totals[full] = total / below if below != 1 else total
    return totals


class Profiles:
    """Profiles among the pages that a trial fetched, by the name of the fetch."""

    name = "pprof"
    needs: Needs = OF_FETCH
    doc = "a fetched profile of `net/http/pprof`, by its name: `pprof.heap.inuse_bytes`"
    known = MappingProxyType({
        "heap.inuse_bytes": "B", "heap.inuse_objects": "objects", "heap.alloc_bytes": "B",
        "heap.alloc_objects": "objects", "heap.stacks": "stacks", "allocs.alloc_bytes": "B",
        "allocs.alloc_objects": "objects", "goroutine.count": "goroutines",
    })  # fmt: skip
    open: tuple[str, ...] = ("",)

    def unit(self, name: str) -> str | None:
        """Give the unit of a type of Go's profiles; a type that a program made has none."""
        last = name.rpartition(".")[2]
        if last in ("cpu", "delay"):  # nanoseconds of a CPU, block or mutex profile
            return "s"
        if last.endswith("bytes"):
            return "B"
        counted = last.endswith(("objects", "count", "samples", "contentions", "stacks"))
        return "1" if counted else None

    def parse(self, printed: Printed) -> Found:
        """Totals of every profile; one that came later wins."""
        readings = Found()
        for page in printed.pages:
            if page.data is None or not page.data.startswith(GZIP):
                continue
            try:
                readings.numbers |= numbers(parse(page.data), page.name)
            except ProfileError as fault:
                readings.why[f"pprof.{page.name}"] = str(fault)
        return readings


PARSER = Profiles()
