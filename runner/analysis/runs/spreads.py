"""What each level of replication is worth: of every metric, in every cell."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.pairing import units
from runner.analysis.model import Spread
from runner.analysis.stats.nested import components

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Estimate, Repetition

LEVELS: Final = ("board", "boot", "build", "session")
"""Outermost first."""
SHOWN: Final = {"build": "layout"}
"""What is varied of a build."""


def spreads(measured: Sequence[Estimate]) -> tuple[Spread, ...]:
    """Give a row for each level that varied; nothing of a metric that only repetitions varied."""
    return tuple(row for estimate in measured for row in _of(estimate))


def _of(estimate: Estimate) -> list[Spread]:
    known = [
        (one, value)
        for one, value in zip(units(estimate), estimate.values, strict=True)
        if value is not None and not one.censored
    ]
    if len(known) < 2 or estimate.exact:
        return []
    levels = _order([one for one, _ in known])
    values = [(tuple(getattr(one, level) for level in levels), value) for one, value in known]
    parts = components(values, [SHOWN.get(level, level) for level in levels])
    if len(parts) < 2 and (not parts or parts[0].level == "repetition"):
        return []
    middle = statistics.median(value for _, value in known)
    return [
        Spread(
            metric=estimate.metric,
            unit=estimate.unit,
            treatment=estimate.treatment,
            step=estimate.step,
            level=one.level,
            units=one.units,
            spread=one.spread,
            interval=one.interval,
            median=middle,
        )
        for one in parts
    ]


def _order(repetitions: Sequence[Repetition]) -> tuple[str, ...]:
    """Give the levels outermost first: a session around the boots that it held, where it did."""
    around = {(one.boot, one.session) for one in repetitions}
    boots, sessions = len({boot for boot, _ in around}), len({own for _, own in around})
    if boots > sessions and len(around) == boots:
        return ("board", "session", "boot", "build")
    return LEVELS
