"""The unit of every number by its name, as the kinds declare it; nothing is guessed.

Numbers are in the base unit of that unit's dimension (`ns` says seconds that are shown, and
published without a unit, in ns). What a program prints or answers without a unit has none here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from runner.kinds import discovery
from runner.kinds.sources import module
from runner.records.units import base_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Field, Needs, Parser, Source

_LATENCY: Final = ("mean", "stdev", "min", "max", "p50", "p75", "p90", "p95", "p99", "p999",
                   "p9999")  # fmt: skip
_ERRORS: Final = ("connect", "read", "write", "timeout", "status", "local")

CLOSED: Final[dict[str, dict[str, str]]] = {
    "load": {
        "requests": "requests", "duration_s": "s", "rps": "/s", "good": "requests",
        "good_rps": "/s", "unanswered": "connections", "bytes": "B",
        "opened": "connections", "errors": "errors", "error_ratio": "%",
        "connections": "connections", "established": "connections", "rate": "/s",
        "planned": "requests", "dropped": "requests", "behind": "%", "cpu": "%",
        "cpu_s": "s", "hosts": "1",
        "littles_law": "1", "littles_law_corrected": "1",
        **{f"latency_{view}{name}": "s" for view in ("", "corrected_", "raw_")
           for name in _LATENCY},
        **{f"errors.{name}": "errors" for name in _ERRORS},
    },
    "search": {
        "level": "1", "last_passing": "1", "first_failing": "1", "trials": "trials",
        "monotone": "1", "p_healthy": "%",
    },
    "workload": {
        "alive": "1", "dead": "1", "ready": "1", "ready_after": "s", "exit_code": "1",
        "signal": "1", "oom_killed": "1", "timed_out": "1", "out_of_cpu": "1", "wall": "s",
        "user_cpu": "s", "system_cpu": "s", "max_rss": "B",
        "minor_faults": "faults", "major_faults": "faults", "voluntary_switches": "1",
        "involuntary_switches": "1",
    },
    "prepare": {"wall": "s", "cpu": "s"},
    "fault": {"injected": "1", "skipped": "1"},
}  # fmt: skip
"""Families whose names are all known, with the unit of each."""
NEEDS: Final[dict[str, Needs]] = {
    "load": {"": ("load",), "established": ("load", "port"), "connections": ("load",)},
    "command": {"": ("command",)},
    "workload": {"": ("workload",)},
    "prepare": {"": ("prepare",)},
    "fault": {"": ("faults",)},
}
"""What a spec has to have for the numbers of a family without a file (see sources.interface)."""
OPEN: Final = ("command",)
"""Families whose names a program decides: what the generator `command` prints."""
COUNTED: Final = frozenset(
    {f"load.{name}" for name in ("requests", "good", "bytes", "errors", "planned", "dropped",
                                 "cpu_s", *(f"errors.{kind}" for kind in _ERRORS))}
    | {"gctrace.count", "scavtrace.count", "fault.injected", "fault.skipped"}
)  # fmt: skip
"""Numbers of a step that are counted in it, beside the counters that are sampled."""
VARIANTS: Final = ("mean", "median", "min", "last")
"""Statistics over its samples that a gauge has in every step: `procfs.rss.median`."""


def without_statistic(rest: str) -> str:
    """Give the name, without family, that a statistic or a gain is of: `rss` of `rss.median`."""
    stem, dot, last = rest.rpartition(".")
    return stem if dot and last in (*VARIANTS, "gained") else rest


def needs_of(name: str) -> tuple[str, ...]:
    """Give what a spec has to have for a number to exist, as words of `Needs`; () for nothing."""
    family, _, rest = name.partition(".")
    if family in CLOSED or family in OPEN:
        tables = [NEEDS.get(family, {})]
    elif discovery.known("sources", family):
        file = module(family)
        kinds = [getattr(file, kind, None) for kind in ("KIND", "PARSER")]
        tables = [getattr(kind, "needs", {}) for kind in kinds if kind is not None]
    else:
        tables = []
    short = without_statistic(rest)
    words = [one.get(short, one.get("", ())) for one in tables]
    return tuple(dict.fromkeys(word for needed in words for word in needed))


@lru_cache(maxsize=4096)
def unit_of(name: str) -> str | None:
    """Give the unit of a number (`1` for a plain count), or None where its source has none."""
    name = name.partition("@")[0] if "(" not in name else name
    family, _, rest = name.partition(".")
    if family in CLOSED:
        return _declared_unit(rest, CLOSED[family])
    if family in OPEN or not discovery.known("sources", family):
        return None
    file = module(family)
    sampled: Source | None = getattr(file, "KIND", None)
    parsed: Parser | None = getattr(file, "PARSER", None)
    if sampled is not None:
        declared = {short: field.unit for short, field in sampled.fields({}).items()}
        unit = _declared_unit(rest, {**declared, **sampled.derived})
        if unit is not None:
            return unit
    if parsed is not None:
        # not every name that a program decides about has a unit
        return parsed.known.get(rest) or parsed.unit(rest)
    return None


@lru_cache(maxsize=4096)
def field_kind(name: str) -> str:
    """Say whether a sampled number is a `gauge` or a `counter`; empty for any other."""
    family, _, short = name.partition(".")
    if family in CLOSED or family in OPEN or not discovery.known("sources", family):
        return ""
    sampled: Source | None = getattr(module(family), "KIND", None)
    field = sampled.fields({}).get(short) if sampled is not None else None
    return field.kind if field is not None else ""


def printed_at_end(name: str) -> bool:
    """Say whether a program prints a number as it ends: one that is stopped never does."""
    family = name.partition(".")[0]
    if family in CLOSED or family in OPEN or not discovery.known("sources", family):
        return False
    return getattr(getattr(module(family), "PARSER", None), "at_end", False)


def counts_up(name: str) -> bool:
    """Whether a step's number is an amount of it: those of several steps add up."""
    return name in COUNTED or field_kind(name) == "counter"


def base_unit_of(name: str) -> str:
    """Name the base unit that a number of a step is in; empty where nothing says one."""
    unit = unit_of(name)
    return base_name(unit) if unit else ""


def sampled(
    column: str, value: float, known: Mapping[str, tuple[str, Field]]
) -> dict[str, str | float]:
    """Give name, base unit and value of one sample; a column of no field stays as it was read."""
    if column not in known:
        return {"name": column, "unit": "", "value": value}
    name, field = known[column]
    scaled = value * field.scale if field.scale != 1 else value
    return {"name": name, "unit": base_name(field.unit), "value": scaled}


def _declared_unit(rest: str, declared: Mapping[str, str]) -> str | None:
    return declared.get(rest, declared.get(without_statistic(rest)))
