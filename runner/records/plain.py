"""Plain data: what JSON can say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
    """A JSON value, where a shape is the business of who reads it (a cell's value, a fact)."""
else:
    Json = object  # the decoder gives nothing else, and an alias of itself it cannot read
