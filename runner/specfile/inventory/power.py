"""How a host is switched off and on: a command of the controller, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runner.records.quantities import TIME, QuantityError, parse_as
from runner.spec.base import did_you_mean, shape

KEYS: Final = ("cycle", "times", "within")
MOST_TIMES: Final = 20


class PowerError(ValueError):
    """What `power` says wrongly."""


@dataclass(frozen=True)
class Power:
    """What `power: {cycle: [uhubctl, -l, "1-1", -p, "2", -a, cycle]}` says."""

    cycle: tuple[str, ...]
    """Started on the controller, without a shell; returns once the power is on again."""
    times: int = 2
    """How often in one run at most."""
    within_s: float = 300.0
    """Seconds until the host has to answer in another boot."""


def read_power(value: object) -> Power:
    """Read the mapping; PowerError says what is wrong."""
    if not isinstance(value, dict):
        raise PowerError(f"has to be a mapping, not {shape(value)}")
    for key in value:
        if key not in KEYS:
            raise PowerError(f"unknown key `{key}`{did_you_mean(str(key), KEYS)}")
    argv = value.get("cycle")
    if not isinstance(argv, list) or not argv or not all(isinstance(w, str) and w for w in argv):
        raise PowerError("`cycle` has to be a command as a list of words")
    times = value.get("times", Power.times)
    if not isinstance(times, int) or isinstance(times, bool) or not 0 < times <= MOST_TIMES:
        raise PowerError(f"`times` has to be a number from 1 to {MOST_TIMES}")
    within = value.get("within")
    try:
        seconds = Power.within_s if within is None else float(parse_as(TIME, str(within)).exact)
    except QuantityError as wrong:
        raise PowerError(f"`within`: {wrong}") from None
    if seconds <= 0:
        raise PowerError("`within` has to be above 0")
    return Power(tuple(argv), times, seconds)
