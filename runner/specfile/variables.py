"""`{{ name }}` in a spec: a value from -e, the spec's vars or the inventory.

A scalar that is nothing but one expression takes the variable's own type, so
that `connections: "{{ n }}"` is a number. An expression is `name`, `name.key`,
`name | default(literal)` or a literal in quotes. Nothing else of Jinja is here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.spec.base import Secret, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.specfile.values import Document, Path

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_DEFAULT = re.compile(r"(?P<name>[A-Za-z_][\w.]*)\s*\|\s*(?:default|d)\((?P<literal>.*)\)")
_LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"|(-?\d+)|(-?\d+\.\d+)|(true|false)")
MAX_DEPTH = 20


class _Missing:
    """No such variable."""


_MISSING = _Missing()


class VariableError(ValueError):
    """The expression has no value; the message says why."""


class Variables:
    """Values by name; a value may hold expressions itself."""

    def __init__(self, values: Mapping[str, Any], factors: frozenset[str] = frozenset()) -> None:
        self.values = values
        self.factors = factors
        self.used: set[str] = set()

    def fill(self, value: Any, depth: int = 0) -> Any:
        """Fill in every expression of a scalar, a list or a mapping."""
        if isinstance(value, str):
            return self._text(value, depth)
        if isinstance(value, list):
            return [self.fill(item, depth) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item, depth) for key, item in value.items()}
        return value

    def _text(self, text: str, depth: int) -> Any:
        if "{{" not in text:
            return text
        if depth > MAX_DEPTH:
            raise VariableError("the variables refer to each other in a circle")
        whole = _EXPRESSION.fullmatch(text.strip())
        if whole and text.strip().count("{{") == 1:
            return self._value(whole[1].strip(), depth)
        parts: list[tuple[str, str]] = []
        at = 0
        for match in _EXPRESSION.finditer(text):
            parts.append(("text", text[at : match.start()]))
            found = self._value(match[1].strip(), depth)
            parts.extend(_pieces(match[1].strip(), found))
            at = match.end()
        parts.append(("text", text[at:]))
        if all(kind == "text" for kind, _ in parts):
            return "".join(piece for _, piece in parts)
        reveal = next(s._reveal for s in self._secrets(text, depth))  # noqa: SLF001 - one reader
        return Secret(tuple(part for part in parts if part != ("text", "")), reveal)

    def _secrets(self, text: str, depth: int) -> list[Secret]:
        found = [self._value(match[1].strip(), depth) for match in _EXPRESSION.finditer(text)]
        return [value for value in found if isinstance(value, Secret)]

    def _value(self, expression: str, depth: int) -> Any:
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
            return self.fill(found, depth + 1)
        if default:
            return _literal(default["literal"].strip(), expression)
        if name in self.factors:
            raise VariableError(
                f"`{name}` is a factor: its level is filled in for each trial, write {{{name}}}"
            )
        raise VariableError(f"unknown variable `{name}`{did_you_mean(name, self.values)}")

    def _find(self, name: str) -> Any:
        first, *rest = name.split(".")
        if name in self.values:
            return self.values[name]
        found: Any = self.values.get(first, _MISSING)
        for key in rest:
            found = found.get(key, _MISSING) if isinstance(found, dict) else _MISSING
        return found


def _pieces(expression: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Secret):
        return list(value.parts)
    if isinstance(value, (dict, list)):
        raise VariableError(f"`{expression}` is a list or a mapping: it cannot be part of a text")
    if value is None:
        raise VariableError(f"`{expression}` has no value")
    return [("text", str(value).lower() if isinstance(value, bool) else str(value))]


def _literal(text: str, expression: str) -> Any:
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


def fill_document(document: Document, variables: Variables) -> dict[str, Any]:
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

    filled: dict[str, Any] = walk(document.data, ())
    return filled
