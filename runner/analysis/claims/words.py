"""Amounts and regions as reasons say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.records.quantities import in_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.claims.case import Region


def amount(value: float, unit: str) -> str:
    """Give a number in a unit, without the unit."""
    return f"{in_unit(value, unit) if unit else value:.6g}"


def region(bounds: Region | None, unit: str) -> str:
    """Give a region as an interval with its unit; `…` is an open end."""
    ends = ["…" if end is None else amount(end, unit) for end in bounds or (None, None)]
    opens, closes = ("(" if ends[0] == "…" else "["), (")" if ends[1] == "…" else "]")
    return f"{opens}{ends[0]}, {ends[1]}{closes}{' ' if unit else ''}{unit}"


def silent(names: Sequence[str]) -> str:
    """Say on which facts a source is silent."""
    return f"the source does not declare {', '.join(names)}"
