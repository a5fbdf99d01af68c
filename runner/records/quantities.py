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

from runner.records.units import (
    BASE_UNIT,
    BYTE_RATE,
    BYTES,
    COUNT,
    CURRENT,
    ENERGY,
    FREQUENCY,
    KNOWN,
    POWER,
    RATE,
    RATIO,
    TEMPERATURE,
    TIME,
    TIMES,
    VOLTAGE,
    UnitError,
    read_unit,
)

__all__ = [
    "BASE_UNIT", "BYTES", "BYTE_RATE", "COUNT", "CURRENT", "ENERGY", "EXAMPLE", "FREQUENCY",
    "POWER", "RATE", "RATIO", "TEMPERATURE", "TIME", "VOLTAGE", "Quantity", "QuantityError",
    "format_quantity", "in_unit", "parse", "parse_as", "unit_factor", "unit_problem",
]  # fmt: skip

EXAMPLE = {
    BYTES: "32MiB or 2MB",
    TIME: "30s, 500ms or 2min",
    RATIO: "0.1% or 0.001",
    COUNT: "100",
    RATE: "100/s",
    FREQUENCY: "600MHz",
    TEMPERATURE: "80°C",
    BYTE_RATE: "10MB/s",
    VOLTAGE: "5V",
    CURRENT: "500mA",
    POWER: "4W",
    ENERGY: "10J",
}

_TEXT = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s.+-].*)?")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|min|s|m|h|d)")
_COMPOUND = re.compile(rf"(?:{_PART.pattern}\s*){{2,}}")
_LETTER = re.compile(r"([kKMGTPE]|m(?=b))(i?)(b?)(ps|/\w+)?")
_MAX_EXPONENT = 60


class QuantityError(ValueError):
    """The text is not a quantity, or one that could be read in two ways."""


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
        prefix, binary, bits, per = letter.groups()
        upper = prefix.upper()
        decimal = "kB" if upper == "K" else f"{upper}B"
        small = "k" if upper == "K" else upper
        per = "/s" if per == "ps" else per or ""
        if binary and not bits:
            return QuantityError(f"unknown unit `{unit}` in `{text}`: write {number}{upper}iB{per}")
        if bits and (per or binary):
            i = "i" if binary else ""
            size = f"{upper}iB" if binary else decimal
            return QuantityError(
                f"`{text}` is ambiguous: write {number}{upper if binary else small}{i}bit{per} "
                f"or {number}{size}{per}, which is 8 times as much"
            )
        if not per:
            return QuantityError(
                f"`{text}` is ambiguous: write {number}{decimal} (powers of 1000) "
                f"or {number}{upper}iB (powers of 1024)"
            )
    near = [known for known in KNOWN if known.lower() == unit.lower() and not _far(known, unit)]
    if near:
        return QuantityError(
            f"unknown unit `{unit}` in `{text}`: write " + " or ".join(number + n for n in near)
        )
    names = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min"}
    names |= {"minutes": "min", "mins": "min", "hour": "h", "hours": "h", "day": "d", "days": "d"}
    names |= {"byte": "B", "bytes": "B", "percent": "%", "C": "°C", "rps": "/s", "sek": "s"}
    if unit in names:
        return QuantityError(f"unknown unit `{unit}` in `{text}`: write {number}{names[unit]}")
    return QuantityError(
        f"unknown unit `{unit}` in `{text}`; known are B, kB, MB, GB, KiB, MiB, GiB, "
        "ns, us, ms, s, min, h, d, %, /s, Hz, kHz, MHz, GHz, °C"
    )


def _far(known: str, unit: str) -> bool:
    """Say whether one may be a milli of what the other is a mega of."""
    sized = KNOWN[known][0] in (BYTES, BYTE_RATE) or known == "min"
    return {known[0], unit[0]} == {"m", "M"} and not sized


def _number(text: str, digits: str) -> Fraction:
    """Read the digits exactly; an exponent that would fill the memory is refused."""
    _, _, exponent = digits.lower().partition("e")
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        raise QuantityError(f"`{text}` is out of range")
    return Fraction(digits)


def _bare(number: float) -> Quantity:
    """Take a number as the count that it was written as: 0.1 is 1/10."""
    if isinstance(number, bool) or not math.isfinite(number):
        raise QuantityError(f"`{str(number).lower()}` is not a quantity")
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
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        raise QuantityError(f"`{stripped[:40]} …` is too long for a quantity")
    if _COMPOUND.fullmatch(stripped):
        total = sum((Fraction(n) * TIMES[u] for n, u in _PART.findall(stripped)), Fraction(0))
        return Quantity(total, TIME)
    match = _TEXT.fullmatch(stripped)
    if match is None:
        message = f"`{text}` is not a quantity (a number with a unit, such as 32MiB or 30s)"
        raise QuantityError(message)
    digits, unit = match[1], (match[2] or "").strip()
    try:
        read = read_unit(unit)
    except UnitError:
        raise _unit_error(stripped, digits, unit) from None
    dimension = read.dimension
    return Quantity(_number(stripped, digits) * read.size, dimension)


def parse_as(dimension: str, text: str | float | Quantity) -> Quantity:
    """Read a quantity of one dimension.

    A bare number is refused where a unit is needed, except that a ratio, a rate
    and a count of anything may be bare, and that 0 is 0 in every unit. A size of something that
    is to be is whole bytes; one that was published may be a mean.
    """
    quantity = parse(text)
    if quantity.dimension == dimension:
        if dimension == BYTES and quantity.exact.denominator != 1:
            raise QuantityError(f"`{text}` is not a whole number of bytes")
        return quantity
    if quantity.dimension == COUNT and (quantity.exact == 0 or dimension in (RATIO, RATE)):
        return Quantity(quantity.exact, dimension)
    shown = str(text).strip()
    if quantity.dimension == COUNT:
        first = {BYTES: f"{shown}MiB", TIME: f"{shown}s", FREQUENCY: f"{shown}MHz"}
        example = first.get(dimension, EXAMPLE[dimension])
        raise QuantityError(f"`{shown}` has no unit: write for instance {example}")
    what = f"`{shown}` is a {quantity.dimension}, not a {dimension}"
    raise QuantityError(f"{what}: write for instance {EXAMPLE[dimension]}")


def unit_factor(unit: str) -> tuple[str, Fraction]:
    """Give the dimension of a unit's name and its size in base units: MB is (bytes, 10^6).

    `1/min` and `/min` are the same. QuantityError where the name is not a unit.
    """
    try:
        read = read_unit(unit)
    except UnitError as wrong:
        raise QuantityError(str(wrong)) from None
    return read.dimension, read.size


def unit_problem(unit: str) -> str | None:
    """Say what is wrong with the name of a unit, and what to write; None where it is one."""
    try:
        read_unit(unit)
    except UnitError:
        pass
    else:
        return None
    message = str(_unit_error(f"1{unit}", "1", unit))
    if "8 times" in message:
        return message.replace(f"`1{unit}`", f"`{unit}`").replace(" 1", " ")
    if "ambiguous" in message:
        decimal = "kB" if unit[:1].lower() == "k" else f"{unit[:1].upper()}B"
        return f"`{unit}` is ambiguous: write {decimal} (10^n) or {unit[:1].upper()}iB (2^n)"
    if "write 1" in message:
        return f"unknown unit `{unit}`: write {message.rpartition('write 1')[2]}"
    word = re.sub(r"\W+", "_", unit).strip("_")
    if re.fullmatch(r"[^\W\d]\w*", unit) and word:
        return (
            f"unknown unit `{unit}`: known are B, kB, MB, KiB, MiB, ns, us, ms, s, min, %, /s, "
            f"Hz, °C, V, A, W, J and nouns such as pages; a noun of your own is written {{{word}}}"
        )
    return (
        f"unknown unit `{unit}`: known are B, kB, MB, KiB, MiB, ns, us, ms, s, min, %, /s, Hz, "
        "°C, V, A, W, J, nouns such as pages, and these per s or per noun (MB/s, ns/op)"
    )


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
        if (amount := exact / KNOWN[unit][1]).denominator == 1
    ]
    if whole:
        return min(whole, key=lambda text: len(text.rstrip(_LETTERS)))
    unit = "%" if dimension == RATIO else BASE_UNIT[dimension]
    digits = _digits(exact / KNOWN[unit][1])
    if digits is not None:
        return digits + unit
    for rate in ("/min", "/h", "/d"):
        amount = exact / KNOWN[rate][1]
        if dimension == RATE and (written := _digits(amount)) is not None:
            return written + rate
    return format(Decimal(repr(float(exact / KNOWN[unit][1]))), "f") + unit


def in_unit(value: float, unit: str) -> float:
    """Convert an amount in base units to the named unit; what is not a unit changes nothing."""
    try:
        return float(value / float(read_unit(unit).size))
    except UnitError:
        return value
