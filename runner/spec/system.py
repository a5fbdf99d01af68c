"""The desired state of the hosts: one key for each kind of resource.

The keys are not listed here: every file of `runner/resources/` adds its own, so
spec, JSON Schema and messages follow from it. A kind's file is imported when a
spec uses it, because most specs use two or three of the many.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PlainValidator, create_model

import runner.resources
from runner.spec.base import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_KINDS = ("interface", "order")
NAMES = tuple(
    info.name
    for info in pkgutil.iter_modules(runner.resources.__path__)
    if not info.name.startswith("_") and info.name not in _NO_KINDS
)
"""Kinds by the names of their files, which are the keys."""


def payload_model(name: str) -> Any:
    """Give the model of a kind's payload."""
    return import_module(f"runner.resources.{name}").KIND.Model


def _payload(name: str) -> Any:
    def read(value: Any) -> Any:
        return None if value is None else payload_model(name).model_validate(value)

    return Annotated[Any, PlainValidator(read)]


class _System(Model):
    """Desired state: planned, journalled, applied, read back, restored."""

    def items(self) -> Iterator[tuple[str, Any]]:
        """Give (kind, payload) for everything that is declared, in the order of the kinds."""
        for name in type(self).model_fields:
            payload = getattr(self, name)
            if payload is not None:
                yield name, payload


if TYPE_CHECKING:

    class System(_System):
        """Desired state, by kind."""

        def __getattr__(self, name: str) -> Any: ...

else:
    System = create_model(
        "System",
        __base__=_System,
        __doc__=_System.__doc__,
        **{name: (_payload(name), None) for name in NAMES},
    )
