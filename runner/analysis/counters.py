"""Rates from counters: what was gained between samples, resets and gaps included.

A counter only rises; a value below the last one means that it began anew (the
process was restarted), so all of it is gain: Prometheus, promql/functions.go
(extrapolatedRate), without its extrapolation, since here both ends are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Gain:
    """What a counter gained over a time."""

    increase: float | None
    """At least this much: what was counted between the last sample and a reset is lost."""
    seconds: float
    resets: int = 0
    missing: int = 0
    """Samples without a value."""
    why: str = ""
    """Why there is none."""

    @property
    def rate(self) -> float | None:
        """Give it per second; None without a gain or a time."""
        if self.increase is None or self.seconds <= 0:
            return None
        return self.increase / self.seconds


def gain(
    times: Sequence[float], values: Sequence[float | None], *, wraps_at: float | None = None
) -> Gain:
    """Add up a counter over rising times (s).

    `wraps_at` is 2**32 for a counter of 32 bits: a drop is then an overflow and
    no reset, if the counter was in its upper half (RFC 2578, Counter32). Fewer
    than two values: no gain, with the reason, never 0.
    """
    if len(times) != len(values):
        raise ValueError(f"{len(times)} times and {len(values)} values")
    known = [(t, v) for t, v in zip(times, values, strict=True) if v is not None]
    missing = len(values) - len(known)
    if any(b <= a for (a, _), (b, _) in pairwise(known)):
        raise ValueError("times have to rise")
    if len(known) < 2:
        return Gain(None, 0.0, 0, missing, f"{len(known)} values of the counter, 2 are needed")
    total = 0.0
    resets = 0
    for (_, before), (_, after) in pairwise(known):
        if after >= before:
            total += after - before
        elif wraps_at is not None and before >= wraps_at / 2:
            total += after + wraps_at - before
        else:
            total += after
            resets += 1
    return Gain(total, known[-1][0] - known[0][0], resets, missing)


def rates(
    times: Sequence[float], values: Sequence[float | None]
) -> tuple[tuple[float, float | None], ...]:
    """Give the rate per second between neighbouring samples, at the later one's time.

    None beside a missing value and over a reset: what happened in between is
    not known well enough for a point of a curve.
    """
    found: list[tuple[float, float | None]] = []
    for (t0, a), (t1, b) in pairwise(zip(times, values, strict=True)):
        if a is None or b is None or b < a or t1 <= t0:
            found.append((t1, None))
        else:
            found.append((t1, (b - a) / (t1 - t0)))
    return tuple(found)


def mean_of(total: float | None, count: float | None, what: str) -> tuple[float | None, str]:
    """Divide a total by its count; null with the reason where the count is 0.

    The mean pause over 0 collections does not exist, and is not 0.
    """
    if total is None or count is None:
        return None, f"{what} were not counted"
    return (total / count, "") if count else (None, f"0 {what}: there is no mean")
