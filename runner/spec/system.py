"""The desired state of the hosts: one key for each kind of resource.

The keys are not listed here: every file of `runner/resources/` adds its own, so
spec, JSON Schema and messages follow from it. A kind's file is imported when a
spec uses it, because most specs use two or three of the many.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    ModelWrapValidatorHandler,
    PlainSerializer,
    PlainValidator,
    create_model,
    model_validator,
)

from runner.kinds import discovery, resources
from runner.records.quantities import Quantity
from runner.records.secrets import Secret
from runner.spec.base import (
    Model,
    write_quantity,
)

NAMES = resources.names()
"""Kinds by the names of their files, which are the keys."""


def payload_model(name: str) -> Any:
    """Give the model of a kind's payload."""
    return resources.kind(name).Model


def _payload(name: str) -> Any:
    def read(value: Any) -> Any:
        return None if value is None else payload_model(name).model_validate(value)

    return Annotated[Any, PlainValidator(read), PlainSerializer(_written, when_used="json")]


def _written(payload: Any) -> Any:
    """Write a payload as JSON data; pydantic's own way would read its secrets."""
    return None if payload is None else _plain(payload.model_dump(by_alias=True, exclude_none=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return {"secret": value.written()}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(item) for item in value)
    if isinstance(value, Quantity):
        return write_quantity(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


class _System(Model):
    """Desired state: planned, journalled, applied, read back, restored."""

    @model_validator(mode="wrap")
    @classmethod
    def _with_outside(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Any:
        """Read kinds of outside packages too, by a model that has their keys."""
        more = [
            str(name)
            for name in (value if isinstance(value, Mapping) else ())
            if name not in cls.model_fields and discovery.known("resources", str(name))
        ]
        return _extended(tuple(more)).model_validate(value) if more else handler(value)

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


@cache
def _extended(more: tuple[str, ...]) -> type[System]:
    """Give the model with the keys of outside kinds as well."""
    fields: dict[str, Any] = {name: (_payload(name), None) for name in more}
    return create_model("System", __base__=System, __doc__=System.__doc__, **fields)
