"""Numbers with a unit: `32MiB`, `30s`, `0.1%`, `600MHz`, `100/s`, `87`.

A quantity is an exact number in the base unit of its dimension, so that equal
amounts are equal however they were written. `MB` is 10^6 bytes and `MiB` 2^20;
what leaves that open (`32M`) is refused with both ways to write it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

BYTES = "bytes"
TIME = "time"
RATIO = "ratio"
COUNT = "count"
RATE = "rate"
FREQUENCY = "frequency"
TEMPERATURE = "temperature"
BYTE_RATE = "byte rate"

BASE_UNIT = {
    BYTES: "B",
    TIME: "s",
    RATIO: "",
    COUNT: "",
    RATE: "/s",
    FREQUENCY: "Hz",
    TEMPERATURE: "°C",
    BYTE_RATE: "B/s",
}

EXAMPLE = {
    BYTES: "32MiB or 2MB",
    TIME: "30s, 500ms or 2min",
    RATIO: "0.1% or 0.001",
    COUNT: "100",
    RATE: "100/s",
    FREQUENCY: "600MHz",
    TEMPERATURE: "80°C",
    BYTE_RATE: "10MB/s",
}

_SIZES: dict[str, Fraction] = {
    "B": Fraction(1),
    "kB": Fraction(10**3),
    "KB": Fraction(10**3),
    "MB": Fraction(10**6),
    "GB": Fraction(10**9),
    "TB": Fraction(10**12),
    "KiB": Fraction(2**10),
    "MiB": Fraction(2**20),
    "GiB": Fraction(2**30),
    "TiB": Fraction(2**40),
}
_TIMES: dict[str, Fraction] = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
    "m": Fraction(60),
    "min": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
_HERTZ: dict[str, Fraction] = {
    "Hz": Fraction(1),
    "kHz": Fraction(10**3),
    "MHz": Fraction(10**6),
    "GHz": Fraction(10**9),
}
_UNITS: dict[str, tuple[str, Fraction]] = {
    "": (COUNT, Fraction(1)),
    "%": (RATIO, Fraction(1, 100)),
    "°C": (TEMPERATURE, Fraction(1)),
    **{unit: (BYTES, size) for unit, size in _SIZES.items()},
    **{unit: (TIME, size) for unit, size in _TIMES.items()},
    **{unit: (FREQUENCY, size) for unit, size in _HERTZ.items()},
    **{f"/{unit}": (RATE, 1 / size) for unit, size in _TIMES.items()},
    **{f"{unit}/s": (BYTE_RATE, size) for unit, size in _SIZES.items()},
}
# Units that name a count only; they are shown and mean nothing else.
_COUNTED = ("connections", "requests", "faults", "allocs", "goroutines", "ptes", "events", "trials")

_TEXT = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s.+-].*)?")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|min|s|m|h|d)")
_COMPOUND = re.compile(rf"(?:{_PART.pattern}\s*){{2,}}")
_LETTER = re.compile(r"([kKMGT])(i?)(b?)")
_MAX_EXPONENT = 60


class QuantityError(ValueError):
    """The text is no quantity, or one that could be read in two ways."""


@dataclass(frozen=True)
class Quantity:
    """An exact amount; `value` is in the base unit (bytes, seconds, a plain ratio)."""

    exact: Fraction
    dimension: str = COUNT

    @property
    def value(self) -> float | int:
        """Amount in the base unit: an int where it is whole, else the nearest float."""
        return self.exact.numerator if self.exact.denominator == 1 else float(self.exact)

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return float(self._as(TIME))

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return int(self._as(BYTES))

    @property
    def ratio(self) -> float:
        """Plain ratio: 0.001 for `0.1%` and for `0.001`."""
        return float(self.exact if self.dimension == COUNT else self._as(RATIO))

    @property
    def per_second(self) -> float:
        """Rate in 1/s; a bare number is one already."""
        return float(self.exact if self.dimension == COUNT else self._as(RATE))

    @property
    def hertz(self) -> float:
        """Frequency in Hz."""
        return float(self._as(FREQUENCY))

    def _as(self, dimension: str) -> Fraction:
        if self.dimension != dimension:
            raise QuantityError(f"{self} is a {self.dimension}, not a {dimension}")
        return self.exact

    def __str__(self) -> str:
        return format_quantity(self)


def _unit_error(text: str, number: str, unit: str) -> QuantityError:
    """Say what is wrong with the unit and how it is written."""
    letter = _LETTER.fullmatch(unit)
    if letter:
        prefix, binary, _ = letter.groups()
        upper = prefix.upper()
        decimal = "kB" if upper == "K" else f"{upper}B"
        if binary:
            return QuantityError(f"unknown unit `{unit}` in `{text}`: write {number}{upper}iB")
        return QuantityError(
            f"`{text}` is ambiguous: write {number}{decimal} (powers of 1000) "
            f"or {number}{upper}iB (powers of 1024)"
        )
    for known in _UNITS:
        if known.lower() == unit.lower():
            return QuantityError(f"unknown unit `{unit}` in `{text}`: write {number}{known}")
    names = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min"}
    names |= {"minutes": "min", "mins": "min", "hour": "h", "hours": "h", "day": "d", "days": "d"}
    names |= {"byte": "B", "bytes": "B", "percent": "%", "C": "°C", "rps": "/s", "sek": "s"}
    if unit in names:
        return QuantityError(f"unknown unit `{unit}` in `{text}`: write {number}{names[unit]}")
    return QuantityError(
        f"unknown unit `{unit}` in `{text}`; known are B, kB, MB, GB, KiB, MiB, GiB, "
        "ns, us, ms, s, min, h, d, %, /s, Hz, kHz, MHz, GHz, °C"
    )


def _number(text: str, digits: str) -> Fraction:
    """Read the digits exactly; an exponent that would fill the memory is refused."""
    _, _, exponent = digits.lower().partition("e")
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        raise QuantityError(f"`{text}` is out of range")
    return Fraction(digits)


def _bare(number: float) -> Quantity:
    """Take a number as the count that it was written as: 0.1 is 1/10."""
    if isinstance(number, bool) or not math.isfinite(number):
        raise QuantityError(f"`{str(number).lower()}` is no quantity")
    return Quantity(Fraction(repr(number)))


_LONGEST = 200


def parse(text: str | float | Quantity) -> Quantity:
    """Read a quantity of any dimension; a bare number is a count.

    Raises QuantityError with what to write instead.
    """
    if isinstance(text, Quantity):
        return text
    if isinstance(text, (bool, int, float)):
        return _bare(text)
    if not isinstance(text, str):
        raise QuantityError("is not a quantity (a number with a unit, such as 32MiB or 30s)")
    said = text.strip()
    if len(said) > _LONGEST:
        raise QuantityError(f"`{said[:40]} …` is too long for a quantity")
    if _COMPOUND.fullmatch(said):
        total = sum((Fraction(n) * _TIMES[u] for n, u in _PART.findall(said)), Fraction(0))
        return Quantity(total, TIME)
    match = _TEXT.fullmatch(said)
    if match is None:
        raise QuantityError(f"`{text}` is no quantity (a number with a unit, such as 32MiB or 30s)")
    digits, unit = match[1], (match[2] or "").strip()
    if unit in _COUNTED:
        unit = ""
    if unit not in _UNITS:
        raise _unit_error(said, digits, unit)
    dimension, size = _UNITS[unit]
    exact = _number(said, digits) * size
    if dimension == BYTES and exact.denominator != 1:
        raise QuantityError(f"`{text}` is not a whole number of bytes")
    return Quantity(exact, dimension)


def parse_as(dimension: str, text: str | float | Quantity) -> Quantity:
    """Read a quantity of one dimension.

    A bare number is refused where a unit is needed, except that a ratio, a rate
    and a count of anything may be bare, and that 0 is 0 in every unit.
    """
    found = parse(text)
    if found.dimension == dimension:
        return found
    if found.dimension == COUNT and (found.exact == 0 or dimension in (RATIO, RATE)):
        return Quantity(found.exact, dimension)
    shown = str(text).strip()
    if found.dimension == COUNT:
        first = {BYTES: f"{shown}MiB", TIME: f"{shown}s", FREQUENCY: f"{shown}MHz"}
        example = first.get(dimension, EXAMPLE[dimension])
        raise QuantityError(f"`{shown}` has no unit: write for instance {example}")
    what = f"`{shown}` is a {found.dimension}, not a {dimension}"
    raise QuantityError(f"{what}: write for instance {EXAMPLE[dimension]}")


def unit_factor(unit: str) -> tuple[str, Fraction]:
    """Give the dimension of a unit's name and its size in base units: MB is (bytes, 10^6).

    `1/min` and `/min` are the same; a name that is no unit counts things.
    """
    name = unit.strip()
    if name.startswith("1/"):
        name = name[1:]
    return _UNITS.get(name, (COUNT, Fraction(1)))


def _digits(number: Fraction) -> str | None:
    """Write a number in full, or None where it has no finite decimal form."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    if number.denominator == 1:
        return str(number.numerator)
    places = 0
    while number.denominator != 1:
        number *= 10
        places += 1
    sign, whole = ("-" if number < 0 else ""), str(abs(number.numerator)).rjust(places + 1, "0")
    return f"{sign}{whole[:-places]}.{whole[-places:]}"


_LETTERS = "BkKMGTiHzdhminsu/"
_SHOWN = {
    BYTES: ("TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB", "B"),
    TIME: ("d", "h", "min", "s", "ms", "us", "ns"),
    FREQUENCY: ("GHz", "MHz", "kHz", "Hz"),
    BYTE_RATE: ("GiB/s", "MiB/s", "KiB/s", "GB/s", "MB/s", "kB/s", "B/s"),
}


def format_quantity(quantity: Quantity) -> str:
    """Write the one canonical text of an amount; `parse` reads back the same amount.

    The unit with the shortest whole number wins, then the larger one; an amount without a finite
    decimal form (`1/min` in 1/s) is written in the unit that makes it exact, or
    as the nearest float.
    """
    exact, dimension = quantity.exact, quantity.dimension
    if exact == 0:
        return f"0{BASE_UNIT[dimension] if dimension != RATIO else '%'}"
    whole = [
        f"{amount.numerator}{unit}"
        for unit in _SHOWN.get(dimension, ())
        if (amount := exact / _UNITS[unit][1]).denominator == 1
    ]
    if whole:
        return min(whole, key=lambda text: len(text.rstrip(_LETTERS)))
    unit = "%" if dimension == RATIO else BASE_UNIT[dimension]
    digits = _digits(exact / _UNITS[unit][1])
    if digits is not None:
        return digits + unit
    for rate in ("/min", "/h", "/d"):
        amount = exact / _UNITS[rate][1]
        if dimension == RATE and (written := _digits(amount)) is not None:
            return written + rate
    return format(Decimal(repr(float(exact / _UNITS[unit][1]))), "f") + unit


def in_unit(value: float, unit: str) -> float:
    """Convert an amount in base units to the named unit."""
    return float(value / float(unit_factor(unit)[1]))
