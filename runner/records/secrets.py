"""Secrets: texts that are known at run time only, and named by their source in every record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr

from runner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MASK = "**********"
HIDDEN = "(secret)"


class Secret(SecretStr):
    """A text that is known at run time only: literal pieces and sources in order.

    A source is `env:NAME` or `file:path`. It is read when `get_secret_value` is
    called and not before; everything else shows the mask. Two secrets are equal
    when they come from the same place.
    """

    def __init__(
        self,
        parts: tuple[tuple[str, str], ...],
        reveal: Callable[[tuple[tuple[str, str], ...]], str] | None = None,
    ) -> None:
        super().__init__(MASK)
        self.parts = parts
        """("text", literal), ("env", name) or ("file", path)."""
        self._reveal = reveal

    def get_secret_value(self) -> str:
        """Read the sources; SpecError names one that is missing."""
        if self._reveal is None:
            raise SpecError(f"the secret {' '.join(self.written())} cannot be read here")
        return self._reveal(self.parts)

    def with_parts(self, parts: tuple[tuple[str, str], ...]) -> Secret:
        """Give a secret of other pieces that is read in the same way."""
        return Secret(parts, self._reveal)

    def written(self) -> list[str]:
        """Give the sources as a user writes them; literal pieces are `text:…`."""
        return [f"{kind}:{what}" for kind, what in self.parts]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __len__(self) -> int:
        return len(MASK)

    @staticmethod
    def source(text: str) -> tuple[str, str]:
        """Read `env:NAME` or `file:path`; ValueError says what is wrong."""
        kind, colon, what = text.strip().partition(":")
        if not colon or kind not in ("env", "file") or not what.strip():
            raise ValueError(f"`!secret {text}` is not known: write !secret env:NAME or file:path")
        return kind, what.strip()


def from_written(value: object) -> object:
    """Make a Secret of `{"secret": ["env:NAME", …]}`, as a record has it; else give it back."""
    if not isinstance(value, Mapping) or set(value) != {"secret"}:
        return value
    if not isinstance(value["secret"], (list, tuple)):
        return value
    parts = [str(part).partition(":") for part in value["secret"]]
    return Secret(tuple((kind, what) for kind, _, what in parts))


def text_of(value: str | SecretStr) -> str:
    """Give the text that a program is to get: of a secret its value, read now."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def literal(value: str | SecretStr) -> str:
    """Give the text around the sources of a secret, each of them as HIDDEN: it may be looked at."""
    if not isinstance(value, Secret):
        return str(value)
    return "".join(what if kind == "text" else HIDDEN for kind, what in value.parts)


def secrets_in(value: object) -> Iterator[Secret]:
    """Give every secret in a model, a mapping or a list, however deep."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for _, item in value:
            yield from secrets_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from secrets_in(item)


def values_in(value: object) -> tuple[str, ...]:
    """Read all secrets in a model: what must not be seen in anything that comes back.

    The sources alone, without the literal text around them; SpecError names one that cannot
    be read, or that is too short to be told from other text.
    """
    values: dict[str, None] = {}
    for secret in secrets_in(value):
        for kind, what in secret.parts:
            if kind == "text":
                continue
            text = secret.with_parts(((kind, what),)).get_secret_value()
            if len(text.strip()) < SHORTEST:
                raise SpecError(
                    f"the secret {kind}:{what} has {len(text)} character(s): too short to be "
                    "hidden in what a program prints",
                    fix=f"give one of at least {SHORTEST}, or write it plainly: it is not a secret",
                )
            values[text] = None
    return tuple(values)


SHORTEST = 4
"""Characters of a secret: a shorter one is a part of ordinary words."""
