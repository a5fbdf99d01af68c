"""The desired state of the hosts: one key for each kind of resource.

The keys are not listed here: every file of `runner/resources/` with a `KIND`
adds its own, so spec, JSON Schema and messages follow from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from runner.resources import kinds
from runner.spec.base import Model

if TYPE_CHECKING:
    from collections.abc import Iterator


class _System(Model):
    """Desired state: planned, journalled, applied, read back, restored."""

    def items(self) -> Iterator[tuple[str, Any]]:
        """Give (kind, payload) for everything that is declared, in the order written."""
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
        **{
            name: (kind.Model | None, Field(None, description=kind.doc))
            for name, kind in kinds().items()
        },
    )
