"""Numbers as people read them: a unit chosen by size, three significant digits.

`MiB` is 2^20 bytes; `MB` is used only where the author of a metric asked for it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from runner.records.quantities import in_unit

if TYPE_CHECKING:
    from collections.abc import Callable

NONE: Final = "–"
"""Shown for what was not measured: never 0."""
THIN: Final = "\u202f"
"""Narrow no-break space: between thousands. Before a unit stands a plain space, for grep."""

_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_HERTZ = ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"))
_LONG_S = 120.0


def digits(value: float, significant: int = 3) -> str:
    """Write with so many significant digits, without exponent between 10^-4 and 10^9.

    Whole digits are never rounded away: 14832 stays 14 832.
    """
    if not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    value = float(f"{value:.{significant - 1}e}") if abs(value) < 10**significant else value
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 12:
        return f"{value:.{significant - 1}e}"
    places = max(0, significant - 1 - size)
    text = f"{value:,.{places}f}".replace(",", THIN)
    return "0" if text.strip("-0.") == "" else text.replace("-", "\u2212")


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    # 999.6 ms is 1.00 s: choose the unit after rounding to three digits
    fits = (pair for pair in units if float(f"{abs(value) / pair[0]:.3g}") >= 1)
    size, unit = next(fits, units[-1])
    return f"{digits(value / size)} {unit}"


def size(value: float | None) -> str:
    """Bytes: 24.3 MiB."""
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) < 1024:
        return f"{count(round(value))} B"
    return _scaled(value, _BYTES)


def duration(value: float | None) -> str:
    """Seconds: 1.42 ms, 31 s, 12 min 5 s."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0 s"
    if abs(value) >= _LONG_S:
        return long_duration(value)
    return _scaled(value, tuple((s, u) for s, u in _SECONDS))


def long_duration(value: float) -> str:
    """Seconds of something long: 2 h 3 min, 12 min 5 s."""
    whole = round(value)
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{seconds} s"


def rate(value: float | None) -> str:
    """Per second, without the unit (it stands in the column's head)."""
    return NONE if value is None else digits(value)


def count(value: float | str | None) -> str:
    """Write a whole number; a fraction keeps three digits."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    return f"{value:,.0f}".replace(",", THIN) if float(value).is_integer() else digits(value)


def frequency(value: float) -> str:
    """Hertz: 1.50 GHz."""
    return _scaled(value, _HERTZ)


def percent(value: float | None) -> str:
    """Ratio as per cent."""
    return NONE if value is None else f"{digits(value * 100)} %"


def amount(value: float | str | None, unit: str) -> str:
    """Value in base units shown in `unit`, or in the best one where `unit` is a base unit."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return NONE
    if (show := _SHOWN.get(unit)) is not None:
        return show(value)
    shown = in_unit(value, unit)
    text = count(shown) if float(shown).is_integer() else digits(shown)
    return f"{text} {unit}"


_SHOWN: Final[dict[str, Callable[[float], str]]] = {
    "B": size,
    "s": duration,
    "Hz": frequency,
    "%": percent,
    "": count,
    "1": count,
    "/s": lambda value: f"{digits(value)} /s",
    "1/s": lambda value: f"{digits(value)} /s",
}


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


_SIZES: Final = frozenset(
    {"usage", "peak", "limit", "anon", "file", "pss", "hugetlb", "swap", "private_dirty"}
    | {"anon_huge", "vm_size", "vm_pte", "available", "page_tables"}
)


def quantity_of(name: str) -> str:
    """Give the base unit of a number by its name, as sources and generators name them."""
    last = name.rpartition(".")[2]
    if name.startswith(("load.latency", "load.duration")) or last.endswith("_s"):
        return "s"
    if last.endswith("_ratio") or name == "load.cpu":
        return "%"
    if name == "build.size":
        return "B"
    source, _, rest = name.partition(".")
    head = rest.partition(".")[0]
    if source in {"procfs", "cgroup", "host"} and (head.startswith("rss") or head in _SIZES):
        return "B"
    return "1"
