"""Whether the clock was what the spec declared: a governor can be set and without effect.

Firmware may hold a board back (heat, voltage) whatever the governor says, so the clock that
was measured under load is compared with what was asked for, and a difference is a remark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.records.facts import amount, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Trial
    from runner.records.plain import Json

TOLERANCE: Final = 0.05
"""Share by which a clock may differ: drivers report steps, and measured clocks wobble."""
POLICY: Final = "policy0"
"""The policy of CPU 0, whose clock is sampled."""


@dataclass(frozen=True)
class Declared:
    """What the clock of CPU 0 has to be, in Hz, and which key of the spec says so."""

    low: float | None
    high: float | None
    key: str


def declared(
    governor: str | Mapping[str, str] | None,
    bounds: tuple[int | None, int | None] | None,
    facts: Mapping[str, Json],
) -> Declared | None:
    """Give what `cpu_governor` and `cpu_frequency` ask of the clock; None where nothing.

    `governor` is a name or names by policy, `bounds` are kHz; `facts` are the host's. Only
    `performance` promises a clock: the highest that is allowed.
    """
    if not facts.get("cpu.policies"):
        return None  # the resource was skipped, and said why
    low, high = bounds or (None, None)
    if isinstance(governor, Mapping):
        governor = governor.get(POLICY)
    if governor == "performance":
        most = high or amount(table(facts, "cpu.max_khz"), POLICY)
        if most is not None:
            return Declared(most * 1e3, high and high * 1e3, "cpu_governor: performance")
    if low is None and high is None:
        return None
    return Declared(low and low * 1e3, high and high * 1e3, "cpu_frequency")


def remarks(asked: Declared | None, trials: Sequence[Trial]) -> list[str]:
    """Say where the median clock of a step was another; and where it was not measured."""
    if asked is None:
        return []
    off: list[str] = []
    unread = 0
    steps = [(trial, step) for trial in trials for step in trial.steps]
    for trial, step in steps:
        clock = step.numbers.get("board.frequency.median")
        if not isinstance(clock, int | float):
            unread += 1
        elif _outside(float(clock), asked):
            off.append(f"{clock / 1e6:,.0f} MHz in step {step.name} of {trial.id}")
    found = []
    if off:
        more = f" and {len(off) - 3} more steps" if len(off) > 3 else ""
        found.append(
            f"{asked.key} was applied, and yet the clock of CPU 0 was {', '.join(off[:3])}{more}; "
            f"{_range(asked)} was declared. The governor has no effect, or the board was held back."
        )
    if unread:
        found.append(
            f"{asked.key}: the clock was not measured in {unread} of {len(steps)} steps, "
            "so it is unknown whether it had an effect."
        )
    return found


def _outside(clock: float, asked: Declared) -> bool:
    below = asked.low is not None and clock < asked.low * (1 - TOLERANCE)
    return below or (asked.high is not None and clock > asked.high * (1 + TOLERANCE))


def _range(asked: Declared) -> str:
    ends = [f"{end / 1e6:,.0f} MHz" for end in (asked.low, asked.high) if end is not None]
    if asked.low == asked.high or asked.high is None:
        return ends[0]
    return " to ".join(ends) if len(ends) > 1 else f"at most {ends[0]}"
