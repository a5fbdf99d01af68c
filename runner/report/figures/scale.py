"""Axes: which ticks, and where a value lies. Ticks are round in the unit that is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.records.amounts import BINARY, SECONDS
from runner.records.units import TIMES, UnitError, read_unit
from runner.report.format import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.records.amounts import Scale

_TIMES = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` on pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    unit: str = ""
    """What the labels are in; stands beside the axis."""
    log: bool = False

    def at(self, value: float) -> float:
        """Give the pixel of a value, held within the axis."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def nice_step(span: float, count: int) -> float:
    """Give the round step (1, 2, 2.5 or 5 × 10^k) that cuts `span` in about `count`."""
    raw = span / max(1, count)
    size = 10.0 ** math.floor(math.log10(raw))
    return next(m * size for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * size >= raw * 0.999)


def _walk(low: float, high: float, step: float) -> list[float]:
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def linear(
    values: tuple[float, float], pixels: tuple[float, float], unit: str, *, count: int = 5
) -> Axis:
    """Axis from `values[0]` to a round end at or above `values[1]`, in a unit that suits."""
    low, high = values
    if not high - low > 1e-290:
        high = low + (abs(low) or 1.0)
    size, name = _unit(high, unit)
    binary = unit == "B"
    step = (_binary_step if binary else nice_step)((high - low) / size, count)
    first = math.floor(low / size / step + 1e-9) * step
    last = math.ceil(high / size / step - 1e-9) * step
    ticks = tuple((tick * size, _label(tick, step)) for tick in _walk(first, last, step))
    return Axis(first * size, last * size, *pixels, ticks, name)


def _binary_step(span: float, count: int) -> float:
    """Sizes are cut in powers of two: 8, 16, 24, 32 MiB."""
    return float(2.0 ** math.ceil(math.log2(span / max(1, count)) - 1e-3))


def _unit(top: float, unit: str) -> tuple[float, str]:
    """Choose the unit that labels are in: its size in base units, and its name."""
    if is_time(unit):
        names: Scale = SECONDS
    elif unit == "B":
        names = BINARY
    else:
        base = {"1": "", "/s": "1/s"}.get(unit, unit)
        return unit_size(unit), base
    return next((pair for pair in names if top >= pair[0]), names[-1])


def is_time(unit: str) -> bool:
    """Say whether values are seconds, however they are shown."""
    return unit in TIMES


def unit_size(unit: str) -> float:
    """Give the size of a unit in base units; 1 of what an old record calls a unit."""
    try:
        return float(read_unit(unit).size)
    except UnitError:
        return 1.0


def _label(value: float, step: float) -> str:
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else 0
    while places < 6 and abs(round(step, places) - step) > step * 1e-6:
        places += 1
    text = f"{value:,.{places}f}".replace(",", units.THIN)
    return "0" if not text.strip("-0.") else text.replace("-", "\u2212")


def clock(high: float, pixels: tuple[float, float], *, count: int = 8) -> Axis:
    """Time from 0: seconds, minutes or hours with steps as clocks have them."""
    high = max(high, 1.0)
    step = next((float(s) for s in _TIMES if s >= high / count), 86400.0)
    step = step if high / step <= count * 2 else nice_step(high / 86400, count) * 86400
    size, name = (3600.0, "h") if step >= 1800 else (60.0, "min") if step >= 60 else (1.0, "s")
    ticks = tuple((t, _label(t / size, step / size)) for t in _walk(0.0, high, step))
    return Axis(0.0, high, *pixels, ticks, name)


def logarithmic(values: Sequence[float], pixels: tuple[float, float], unit: str) -> Axis:
    """Axis over decades with labels at 1, (2, 5,) 10; all values are above 0."""
    low, high = min(values), max(values)
    few = high / low < 300
    marks = (1.0, 2.0, 5.0) if few else (1.0,)
    first = max(m * 10.0**k for k in _decades(low) for m in marks if m * 10.0**k <= low * 1.0001)
    last = min(m * 10.0**k for k in _decades(high) for m in marks if m * 10.0**k >= high * 0.9999)
    last = last if last > first else first * 10
    span = range(math.floor(math.log10(first)) - 1, math.ceil(math.log10(last)) + 2)
    found = [m * 10.0**k for k in span for m in marks]
    show = _with_unit if is_time(unit) else lambda v: units.amount(v, "1")
    ticks = tuple((v, show(v)) for v in found if first * 0.999 <= v <= last * 1.001)
    return Axis(first, last, *pixels, ticks, "" if is_time(unit) else unit, log=True)


def _decades(value: float) -> range:
    at = math.floor(math.log10(value))
    return range(at - 1, at + 3)


def _with_unit(value: float) -> str:
    size, name = _unit(value * 1.0001, "s")
    return f"{value / size:.6g} {name}"


def levels(values: Sequence[float], pixels: tuple[float, float], unit: str) -> Axis:
    """Levels of a search: doubling ones over a wide range, else linear around them."""
    low, high = min(values), max(values)
    if low > 0 and high / low >= 8:
        marks = [2.0**k for k in range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)]
        every = math.ceil(len(marks) / 9)
        ticks = tuple((v, units.count(v)) for v in marks[::every])
        return Axis(min(low, marks[0]), max(high, marks[-1]), *pixels, ticks, unit, log=True)
    pad = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return around((low - pad, high + pad), pixels, unit)


def around(values: tuple[float, float], pixels: tuple[float, float], unit: str) -> Axis:
    """Axis that ends where the values end, with round ticks within."""
    low, high = values
    if not high - low > 1e-290:  # nothing, or less than can be divided
        low, high = low - 0.5, high + 0.5
    size, name = _unit(max(abs(low), abs(high)), unit)
    step = nice_step((high - low) / size, 6)
    ticks = tuple((t * size, _label(t, step)) for t in _walk(low / size, high / size, step))
    return Axis(low, high, *pixels, ticks, name)
