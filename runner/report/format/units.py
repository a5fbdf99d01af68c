"""Numbers as a report shows them, see `runner.records.amounts`."""

from __future__ import annotations

from runner.records.amounts import (
    NONE,
    THIN,
    amount,
    count,
    digits,
    duration,
    frequency,
    interval,
    long_duration,
    percent,
    size,
)

__all__ = [
    "NONE", "THIN", "amount", "count", "digits", "duration", "frequency", "interval",
    "long_duration", "percent", "rate", "size",
]  # fmt: skip


def rate(value: float | None) -> str:
    """Per second, without the unit (it stands in the column's head)."""
    return NONE if value is None else digits(value)
