"""`{{ name }}` in a spec: a value from -e, the spec's vars or the inventory.

A scalar that is nothing but one expression takes the variable's own type, so
that `connections: "{{ n }}"` is a number. An expression is `name`, `name.key`,
`name | default(literal)` or a literal in quotes. Nothing else of Jinja is here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.records.secrets import Secret
from runner.spec.base import (
    did_you_mean,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.specfile.values import Document, Path

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_DEFAULT = re.compile(r"(?P<name>[A-Za-z_][\w.]*)\s*\|\s*(?:default|d)\((?P<literal>.*)\)")
_LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"|(-?\d+)|(-?\d+\.\d+)|(true|false)")
MAX_DEPTH = 20
MAX_VALUES = 50_000
MAX_TEXT = 1 << 16
_MAX_EXPRESSION = 500


class _Missing:
    """No such variable."""


_MISSING = _Missing()


class VariableError(ValueError):
    """The expression has no value; the message says why."""


class Variables:
    """Values by name; a value may hold expressions itself.

    What comes of them is bounded: a few variables that hold one another ten times
    over would fill the memory.
    """

    def __init__(self, values: Mapping[str, object], factors: frozenset[str] = frozenset()) -> None:
        self.values = values
        self.factors = factors
        self._known: dict[str, tuple[object, int]] = {}
        """What came of a name, and how many values that are."""
        self._count = 0

    def fill(self, value: object, depth: int = 0) -> object:
        """Fill in every expression of a scalar, a list or a mapping."""
        self._take(1)
        if isinstance(value, str):
            return self._text(value, depth)
        if isinstance(value, list):
            return [self.fill(item, depth) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item, depth) for key, item in value.items()}
        return value

    def _take(self, values: int) -> None:
        self._count += values
        if self._count > MAX_VALUES:
            raise VariableError(f"more than {MAX_VALUES} values once the variables are filled in")

    def _text(self, text: str, depth: int) -> object:
        if "{{" not in text:
            return text
        if depth > MAX_DEPTH:
            raise VariableError("the variables refer to each other in a circle")
        parts = list(_split(text))
        if [kind for kind, piece in parts if piece.strip() or kind == "{{"] == ["{{"]:
            only = next(piece for kind, piece in parts if kind == "{{")
            return self._value(only, depth)
        found: list[tuple[str, str]] = []
        secrets: list[Secret] = []
        length = 0
        for kind, piece in parts:
            value = piece
            if kind == "{{":
                value = self._value(piece, depth)
                if isinstance(value, Secret):
                    secrets.append(value)
            pieces = _pieces(piece, value)
            length += sum(len(said) for _, said in pieces)
            if length > MAX_TEXT:
                raise VariableError(f"is longer than {MAX_TEXT} characters once it is filled in")
            found += pieces
        if all(kind == "text" for kind, _ in found):
            return "".join(piece for _, piece in found)
        kept = tuple(part for part in found if part != ("text", ""))
        return Secret(kept, _each_by_its_own(secrets))

    def _value(self, expression: str, depth: int) -> Any:
        if len(expression) > _MAX_EXPRESSION:
            raise VariableError(f"{{{{ {expression[:40]} … }}}} is too long for an expression")
        literal = _LITERAL.fullmatch(expression)
        if literal and literal[0][0] in "'\"":
            return literal[1] if literal[1] is not None else literal[2]
        default = _DEFAULT.fullmatch(expression)
        name = default["name"] if default else expression
        if not _NAME.fullmatch(name):
            raise VariableError(
                f"cannot read {{{{ {expression} }}}}: write a name, or name | default('text')"
            )
        found = self._find(name)
        if not isinstance(found, _Missing):
            return self._filled(name, found, depth)
        if default:
            return _literal(default["literal"].strip(), expression)
        if name in self.factors:
            raise VariableError(
                f"`{name}` is a factor: its level is filled in for each trial, write {{{name}}}"
            )
        raise VariableError(f"unknown variable `{name}`{did_you_mean(name, self.values)}")

    def _filled(self, name: str, value: object, depth: int) -> object:
        """Fill in a variable's own value, once."""
        if name not in self._known:
            before = self._count
            self._known[name] = (self.fill(value, depth + 1), self._count - before)
        else:
            self._take(self._known[name][1])
        return self._known[name][0]

    def _find(self, name: str) -> object:
        first, *rest = name.split(".")
        if name in self.values:
            return self.values[name]
        found: object = self.values.get(first, _MISSING)
        for key in rest:
            found = found.get(key, _MISSING) if isinstance(found, dict) else _MISSING
        return found


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Give the pieces of a text as ("text", …) and ("{{", expression)."""
    at = 0
    while (start := text.find("{{", at)) >= 0 and (end := text.find("}}", start + 2)) >= 0:
        yield "text", text[at:start]
        yield "{{", text[start + 2 : end].strip()
        at = end + 2
    yield "text", text[at:]


def _each_by_its_own(
    secrets: Sequence[Secret],
) -> Callable[[tuple[tuple[str, str], ...]], str]:
    """Read each source as the file may that named it: one may reach further than another."""
    by_part = {part: secret for secret in reversed(secrets) for part in secret.parts}

    def piece(part: tuple[str, str]) -> str:
        kind, what = part
        return what if kind == "text" else by_part[part].with_parts((part,)).get_secret_value()

    return lambda parts: "".join(map(piece, parts))


def _pieces(expression: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Secret):
        return list(value.parts)
    if isinstance(value, (dict, list)):
        raise VariableError(f"`{expression}` is a list or a mapping: it cannot be part of a text")
    if value is None:
        raise VariableError(f"`{expression}` has no value")
    return [("text", str(value).lower() if isinstance(value, bool) else str(value))]


def _literal(text: str, expression: str) -> object:
    match = _LITERAL.fullmatch(text)
    if match is None:
        raise VariableError(f"cannot read the default in {{{{ {expression} }}}}: quote a text")
    if match[3]:
        return int(match[3])
    if match[4]:
        return float(match[4])
    if match[5]:
        return match[5] == "true"
    return match[1] if match[1] is not None else match[2]


def fill_document(document: Document, variables: Variables) -> dict[str, object]:
    """Fill in a document's data; what cannot be is a fault at its place."""

    def walk(value: Any, path: Path) -> Any:
        if path == ("vars",):
            return value
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, index)) for index, item in enumerate(value)]
        try:
            return variables.fill(value)
        except VariableError as wrong:
            document.add(path, str(wrong))
            return value

    filled: dict[str, object] = walk(document.data, ())
    return filled
