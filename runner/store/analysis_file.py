"""`artifacts/analysis.json`: the analysis as JSON, and back."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, TypeVar

from runner.analysis.model import (
    Analysis,
    ClaimResult,
    Estimate,
    Repetition,
    RuleResult,
    Series,
    Spread,
    Step,
    Trial,
)
from runner.errors import RecordError

NAME = "analysis.json"
T = TypeVar("T")

_PARTS: dict[tuple[type, str], type] = {
    (Analysis, "trials"): Trial,
    (Analysis, "estimates"): Estimate,
    (Analysis, "claims"): ClaimResult,
    (Analysis, "series"): Series,
    (Analysis, "spreads"): Spread,
    (Estimate, "repetitions"): Repetition,
    (Trial, "steps"): Step,
    (Trial, "guards"): RuleResult,
    (Step, "rules"): RuleResult,
    (Step, "unguarded"): RuleResult,
}


def to_data(analysis: Analysis) -> dict[str, object]:
    """Plain data for JSON; a number that is not finite becomes null."""
    data: dict[str, object] = _plain(dataclasses.asdict(analysis))
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value  # numpy scalars


def from_data(data: dict[str, object]) -> Analysis:
    """Rebuild the analysis of its JSON; keys of a newer version are left out."""
    try:
        return _build(Analysis, data)
    except (TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"analysis.json does not have the expected form: {error}") from error


def _build(kind: type[T], data: dict[str, Any]) -> T:
    values: dict[str, object] = {}
    for item in dataclasses.fields(kind):  # type: ignore[arg-type]
        if item.name in data:
            part = _PARTS.get((kind, item.name))
            raw = data[item.name]
            values[item.name] = tuple(_build(part, x) for x in raw) if part else _tuples(raw)
    return kind(**values)


def _tuples(value: object) -> object:
    """Make tuples of lists, as the model has them; inside a dict nothing changes."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
