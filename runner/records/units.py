"""Units by name: which dimension a unit has, and how large it is in base units.

    unit = "" | "1" | known | noun | "{" any word "}"
         | [ "1" | noun | known ] "/" ( time | noun )

`MB` is 10^6 bytes and `MiB` 2^20. A noun counts things and has no dimension; one that is not
listed stands in braces, as in UCUM (ucum.org, annotations): `{spins}`. Per noun (`ns/op`,
`allocs/request`) is of the dimension of what stands before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

BYTES: Final = "bytes"
TIME: Final = "time"
RATIO: Final = "ratio"
COUNT: Final = "count"
RATE: Final = "rate"
FREQUENCY: Final = "frequency"
TEMPERATURE: Final = "temperature"
BYTE_RATE: Final = "byte rate"
VOLTAGE: Final = "voltage"
CURRENT: Final = "current"
POWER: Final = "power"
ENERGY: Final = "energy"

BASE_UNIT: Final = {
    BYTES: "B",
    TIME: "s",
    RATIO: "",
    COUNT: "",
    RATE: "/s",
    FREQUENCY: "Hz",
    TEMPERATURE: "°C",
    BYTE_RATE: "B/s",
    VOLTAGE: "V",
    CURRENT: "A",
    POWER: "W",
    ENERGY: "J",
}
POWERS: Final[dict[str, tuple[int, int, int, int, int]]] = {
    # of byte, second, degree, volt, ampere
    BYTES: (1, 0, 0, 0, 0),
    TIME: (0, 1, 0, 0, 0),
    RATIO: (0, 0, 0, 0, 0),
    COUNT: (0, 0, 0, 0, 0),
    RATE: (0, -1, 0, 0, 0),
    FREQUENCY: (0, -1, 0, 0, 0),
    TEMPERATURE: (0, 0, 1, 0, 0),
    BYTE_RATE: (1, -1, 0, 0, 0),
    VOLTAGE: (0, 0, 0, 1, 0),
    CURRENT: (0, 0, 0, 0, 1),
    POWER: (0, 0, 0, 1, 1),
    ENERGY: (0, 1, 0, 1, 1),
}
"""Exponents of what a dimension is made of: products and quotients of dimensions add them."""

SIZES: Final[dict[str, Fraction]] = {
    "B": Fraction(1),
    "kB": Fraction(10**3),
    "KB": Fraction(10**3),
    "MB": Fraction(10**6),
    "GB": Fraction(10**9),
    "TB": Fraction(10**12),
    "PB": Fraction(10**15),
    "EB": Fraction(10**18),
    "KiB": Fraction(2**10),
    "MiB": Fraction(2**20),
    "GiB": Fraction(2**30),
    "TiB": Fraction(2**40),
    "PiB": Fraction(2**50),
    "EiB": Fraction(2**60),
}
TIMES: Final[dict[str, Fraction]] = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6),
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
    "m": Fraction(60),
    "min": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
_BITS: Final = {
    "bit": 1, "bits": 1, "kbit": 10**3, "Mbit": 10**6, "Gbit": 10**9, "Tbit": 10**12,
    "Kibit": 2**10, "Mibit": 2**20, "Gibit": 2**30, "Tibit": 2**40,
}  # fmt: skip
"""Eight of them are a byte, alone as well as per time."""
_METRIC: Final = {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6),
                  "µ": Fraction(1, 10**6), "μ": Fraction(1, 10**6), "m": Fraction(1, 1000),
                  "k": Fraction(1000), "M": Fraction(10**6), "G": Fraction(10**9)}  # fmt: skip
KNOWN: Final[dict[str, tuple[str, Fraction]]] = {
    "": (COUNT, Fraction(1)),
    "1": (COUNT, Fraction(1)),
    "%": (RATIO, Fraction(1, 100)),
    "ppm": (RATIO, Fraction(1, 10**6)),
    "ppb": (RATIO, Fraction(1, 10**9)),
    "°C": (TEMPERATURE, Fraction(1)),
    **{unit: (BYTES, size) for unit, size in SIZES.items()},
    **{unit: (TIME, size) for unit, size in TIMES.items()},
    **{f"{p}Hz": (FREQUENCY, Fraction(n)) for p, n in
       (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9))},
    **{f"/{unit}": (RATE, 1 / size) for unit, size in TIMES.items()},
    **{f"{unit}/{per}": (BYTE_RATE, size / span) for unit, size in SIZES.items()
       for per, span in TIMES.items()},
    **{unit: (BYTES, Fraction(bits, 8)) for unit, bits in _BITS.items()},
    **{f"{unit}/{per}": (BYTE_RATE, Fraction(bits, 8) / span) for unit, bits in _BITS.items()
       for per, span in TIMES.items()},
    **{f"{prefix}{unit}": (dimension, size) for prefix, size in _METRIC.items()
       for unit, dimension in (("V", VOLTAGE), ("A", CURRENT), ("W", POWER), ("J", ENERGY))},
    "Wh": (ENERGY, Fraction(3600)),
    "mWh": (ENERGY, Fraction(36, 10)),
    "kWh": (ENERGY, Fraction(3_600_000)),
}  # fmt: skip
NOUNS: Final = frozenset((
    "allocations", "allocs", "answers", "attempts", "blocks", "boots", "buckets",
    "builds", "calls", "clients", "collections", "connections", "cores", "cpus", "cycles",
    "devices", "drops", "entries", "errors", "events", "failures", "faults", "files",
    "flags", "frames", "goroutines", "handshakes", "hits", "huge_pages", "instructions",
    "interrupts", "items", "iterations", "jobs", "kills", "levels", "lines", "lookups", "mappings",
    "messages", "misses", "objects", "op", "ops", "packets", "pages", "points", "processes",
    "ptes", "queries", "reads", "records", "redirects", "refaults", "repetitions", "req",
    "reqs", "request", "requests", "retries", "rows", "runs", "samples", "searches",
    "segments", "signals", "sockets", "spans", "stacks", "steps", "stops", "switches",
    "symbols", "syscalls", "tasks", "threads", "timeouts", "times", "tokens", "transactions",
    "trials", "updates", "users", "wakeups", "warnings", "words", "workers", "writes",
))  # fmt: skip


class UnitError(ValueError):
    """The text is not a unit; the message says what is near or what is known."""


@dataclass(frozen=True)
class Unit:
    """One unit: `name` as written, its dimension, its size in the base unit."""

    name: str
    dimension: str
    size: Fraction

    @property
    def powers(self) -> tuple[int, ...]:
        """Exponents of byte, second, degree, volt and ampere."""
        return POWERS[self.dimension]


def is_noun(name: str) -> bool:
    """Say whether a name counts things: `pages`, `request`, `{spins}`."""
    return name in NOUNS or f"{name}s" in NOUNS or re.fullmatch(r"\{[^{}/]+\}", name) is not None


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit:
    """Read a unit's name; UnitError where it is none."""
    name = text.strip()
    if name.startswith("1/"):
        name = name[1:]
    known = KNOWN.get(name)
    if known is not None:
        return Unit(name, *known)
    if is_noun(name):
        return Unit(name, COUNT, Fraction(1))
    above, slash, below = name.rpartition("/")
    if slash:
        if is_noun(below) and above != "":
            over = read_unit(above)
            return Unit(name, over.dimension, over.size)
        if below in TIMES:
            over = read_unit(above)
            if over.dimension == COUNT:
                return Unit(name, RATE, 1 / TIMES[below])
            if over.dimension == TIME:
                return Unit(name, RATIO, over.size / TIMES[below])
    raise UnitError(f"unknown unit `{text}`")


def same_powers(one: str, other: str) -> bool:
    """Say whether two dimensions can be compared: a frequency is a rate, a ratio a number."""
    return POWERS[one] == POWERS[other]


def base_name(unit: str) -> str:
    """Name the base unit that numbers shown in `unit` are in: `MiB` → `B`, `%` → `1`."""
    try:
        read = read_unit(unit)
    except UnitError:  # of an old record
        return unit
    if read.dimension == COUNT:
        return read.name if read.name not in ("", "1") else "1"
    return BASE_UNIT[read.dimension] or "1"
