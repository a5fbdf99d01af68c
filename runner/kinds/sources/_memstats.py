"""Units of Go's runtime.MemStats. Source: package runtime of Go 1.22."""

from __future__ import annotations

from typing import Final

NS: Final = ("PauseTotalNs", "LastGC")
"""In ns as they are printed; LastGC since 1970."""
COUNTS: Final = ("Lookups", "Mallocs", "Frees", "HeapObjects", "NumGC", "NumForcedGC")


def memstats_unit(name: str) -> str:
    """Give the unit that a field is printed in."""
    if name in NS:
        return "ns"
    if name == "GCCPUFraction":
        return "%"
    return "1" if name in COUNTS else "B"


def scaled(name: str, value: float) -> float:
    """Give a field in its base unit: seconds for what is printed in ns."""
    return value / 1e9 if name in NS else value
