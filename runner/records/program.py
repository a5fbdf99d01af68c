"""What is sent to a host: finished when it is compiled, and changed by nobody afterwards."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.plain import Json

    Program = Mapping[str, Json]
    """A program of the contract, as plain data."""


def frozen(data: Mapping[str, Json]) -> Program:
    """Give a program whose mappings and lists cannot be changed, at any depth."""
    return MappingProxyType({key: _frozen(value) for key, value in data.items()})


def _frozen(value: Json) -> Json:
    found: object = value
    if isinstance(value, dict):
        found = frozen(value)
    elif isinstance(value, list | tuple):
        found = tuple(_frozen(item) for item in value)
    return found  # type: ignore[return-value]  # as JSON it is the same


def thawed(value: object) -> object:
    """`default` of `json.dumps` for what is frozen."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def trial_of(program: Program) -> str:
    """Give the trial that a program is of."""
    return str(program["trial"])
