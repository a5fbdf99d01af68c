"""Joules of a step, and of each good request, from what the host's counters and sensors say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.trial.frames import Frame
    from runner.kinds.sources.interface import Field

    Number = float | int | str | None

NOTHING: Final = "the host has no energy counter, no power sensor and no PMIC that is read"
COUNTER: Final = "energy.counter"
SENSORS: Final = ("energy.sensor", "energy.pmic")
NAMES: Final = ("energy.joules", "energy.power", "energy.per_good")


def add(
    fields: Mapping[str, Field],
    frame: Frame,
    seconds: float,
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Add `energy.joules`, `.power` (W) and `.per_good` (J); null with the reason where unknown.

    `frame` holds the samples of the step, which took `seconds`.
    """
    total, said = _total(fields, frame, numbers, why)
    if total is None or seconds <= 0:
        for name in NAMES:
            numbers[name], why[name] = None, said
        return
    counted = any(name.startswith(COUNTER) for name in fields)
    joules = total if counted else total * seconds
    numbers["energy.joules"], numbers["energy.power"] = joules, joules / seconds
    good = numbers.get("load.good")
    if isinstance(good, int | float) and good > 0:
        numbers["energy.per_good"] = joules / good
    else:
        numbers["energy.per_good"] = None
        why["energy.per_good"] = "no good request is known of this step"


def _total(
    fields: Mapping[str, Field],
    frame: Frame,
    numbers: Mapping[str, Number],
    why: Mapping[str, str],
) -> tuple[float | None, str]:
    """Give joules where there are counters, else watts; or None and why."""
    counters = [name for name in fields if name.startswith(COUNTER)]
    sensors = [name for name in fields if name.startswith(SENSORS)]
    if not counters and not sensors:
        return None, NOTHING
    total = 0.0
    for name in counters or sensors:
        value = numbers.get(name if counters else f"{name}.mean")
        if not isinstance(value, int | float):
            return None, why.get(name, "not read in this step")
        if counters and np.any(np.diff(frame.values(fields[name].column)) < 0):
            return None, f"{fields[name].doc} went past its end within the step"
        total += float(value)
    return total, ""
