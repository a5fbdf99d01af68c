"""Numbers as people read them: a unit chosen by size, three significant digits.

A value is in base units; `unit` names its dimension and how it is shown. `MiB` is 2^20 bytes;
`MB` is used only where that is asked for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from runner.records.units import (
    BYTE_RATE,
    BYTES,
    COUNT,
    CURRENT,
    ENERGY,
    FREQUENCY,
    POWER,
    RATIO,
    TIME,
    VOLTAGE,
    UnitError,
    read_unit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.records.units import Unit

    Scale = Sequence[tuple[float, str]]
    """Sizes in base units and names, the largest first."""

NONE: Final = "–"
"""Shown for what was not measured: never 0."""
THIN: Final = "\u202f"
"""Narrow no-break space: between thousands. Before a unit stands a plain space, for grep."""

BINARY: Final = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
DECIMAL: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
SECONDS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
HERTZ: Final = ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"))
_LONG_S: Final = 120.0
_LETTERS: Final = {VOLTAGE: "V", CURRENT: "A", POWER: "W", ENERGY: "J"}


def digits(value: float, significant: int = 3, *, short: bool = False) -> str:
    """Write with so many significant digits, without exponent between 10^-4 and 10^9.

    Whole digits are never rounded away: 14832 stays 14 832. `short` writes a number that has
    fewer digits with those: 9.5, while 9.498 is 9.50.
    """
    if not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    rounded = float(f"{value:.{significant - 1}e}") if abs(value) < 10**significant else value
    size = math.floor(math.log10(abs(rounded)))
    if not -4 <= size < 12:
        return f"{rounded:.{significant - 1}e}"
    places = max(0, significant - 1 - size)
    text = f"{rounded:,.{places}f}"
    if short and "." in text and math.isclose(value, rounded, rel_tol=1e-9):
        text = text.rstrip("0").rstrip(".")
    text = text.replace(",", THIN)
    return "0" if text.strip("-0.") == "" else text.replace("-", "\u2212")


def scaled(value: float, names: Scale, *, short: bool = False) -> str:
    """Show in the largest unit that gives at least 1, after rounding: 999.6 ms is 1 s."""
    fits = (pair for pair in names if float(f"{abs(value) / pair[0]:.3g}") >= 1)
    size, unit = next(fits, names[-1])
    return f"{digits(value / size, short=short)} {unit}"


def size(value: float | None) -> str:
    """Bytes: 24.3 MiB."""
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) < 1024:
        return f"{count(round(value))} B"
    return scaled(value, BINARY)


def duration(value: float | None) -> str:
    """Seconds: 1.42 ms, 31 s, 12 min 5 s."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0 s"
    if abs(value) >= _LONG_S:
        return long_duration(value)
    return scaled(value, SECONDS)


def long_duration(value: float) -> str:
    """Seconds of something long: 2 h 3 min, 12 min 5 s."""
    if value < 0:
        return f"\u2212{long_duration(-value)}"
    whole = round(value)
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{seconds} s"


def planned(seconds: float) -> str:
    """Say how long something is planned to take; what takes no time of its own ends by itself."""
    return f"about {seconds:.0f} s" if seconds else "until it ends"


def count(value: float | str | None) -> str:
    """Write a whole number; a fraction keeps three digits."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return NONE
    return f"{value:,.0f}".replace(",", THIN) if float(value).is_integer() else digits(value)


def frequency(value: float) -> str:
    """Hertz: 1.50 GHz."""
    return scaled(value, HERTZ)


def percent(value: float | None) -> str:
    """Ratio as per cent."""
    return NONE if value is None else f"{digits(value * 100)} %"


def amount(value: float | str | None, unit: str) -> str:
    """Show a value in base units: in `unit` where that gives 1 to 999, else in one that does.

    The other one is of the same kind: MB and GB, MiB and GiB, ns and µs.
    """
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return NONE
    try:
        read = read_unit(unit)
    except UnitError:  # of an old record
        return f"{count(value)} {unit}"
    if value == 0 and read.dimension != COUNT:
        return f"0 {read.name}"
    return _shown(value, read)


def _shown(  # noqa: PLR0911 - one return for each dimension
    value: float, unit: Unit
) -> str:
    per = unit.name[unit.name.rindex("/") :] if _per_noun(unit) else ""
    if unit.dimension == RATIO:
        many, name = (1e6, "ppm") if unit.name == "ppm" else (1e2, "%")
        return f"{digits(value * many, short=True)} {name}"
    if unit.dimension == TIME:
        if abs(value) >= _LONG_S:
            return long_duration(value) + per
        return scaled(value, SECONDS, short=unit.name != "s") + per
    if unit.dimension in (BYTES, BYTE_RATE):
        return _bytes(value, unit) + per
    if unit.dimension == FREQUENCY:
        return scaled(value, HERTZ, short=unit.name != "Hz")
    if unit.dimension == COUNT:
        return count(value) if unit.name in ("", "1") else f"{count(value)} {unit.name}"
    if unit.dimension in _LETTERS:
        letter = _LETTERS[unit.dimension]
        if "h" in unit.name:  # Wh is not a prefix of J
            return f"{digits(value / float(unit.size), short=True)} {unit.name}"
        names = ((1e3, f"k{letter}"), (1.0, letter), (1e-3, f"m{letter}"), (1e-6, f"µ{letter}"))
        return scaled(value, names, short=True)
    shown = digits(value / float(unit.size), short=True)
    return f"{shown} {unit.name}"


def _per_noun(unit: Unit) -> bool:
    return "/" in unit.name and unit.dimension in (BYTES, TIME)


def _bytes(value: float, unit: Unit) -> str:
    name = unit.name.partition("/")[0]
    if "bit" in name:
        written = name if unit.dimension == BYTES else unit.name
        return f"{digits(value / float(unit.size), short=True)} {written}"
    tail = "" if unit.dimension == BYTES else "/s"
    decimal = name in ("kB", "KB", "MB", "GB", "TB", "PB", "EB")
    if not decimal and not tail and abs(value) < 1024:
        # a mean over repetitions is not a whole number of bytes
        return f"{count(value)} B"
    return scaled(value, DECIMAL if decimal else BINARY, short=unit.name != "B") + tail


def interval(low_high: tuple[float | None, float | None] | None, unit: str) -> str:
    """Give an interval `low … high`; an open end is said by ≤ or ≥."""
    if low_high is None or low_high == (None, None):
        return NONE
    low, high = low_high
    if low is None:
        return f"≤ {amount(high, unit)}"
    if high is None:
        return f"≥ {amount(low, unit)}"
    first, last = amount(low, unit), amount(high, unit)
    if first == last:
        return first
    head, _, tail = first.rpartition(" ")
    # one unit for both ends is said once: `1.2 … 1.4 MiB`
    if head and last.endswith(f" {tail}") and tail and not tail[-1].isdigit():
        return f"{head} … {last}"
    return f"{first} … {last}"
