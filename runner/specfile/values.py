"""YAML text → plain values with the place of each, and what YAML would have bent.

Scalars are resolved here and not by yaml's constructors: the raw text is kept,
keys stay as written, and what reads as something else than it says (`0644`,
`1:30`, a key given twice) is a fault with its place instead of a wrong value.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml

from runner.records.secrets import Secret
from runner.spec.base import Spelled
from runner.specfile.encoding import VAULT, decode
from runner.specfile.errors import MAX_FAULTS, Fault, SpecFaults, shortened
from runner.specfile.nodes import MAX_DEPTH, MAX_NODES, TAG, NodesError, compose

if TYPE_CHECKING:
    from collections.abc import Callable

    Reveal = Callable[[tuple[tuple[str, str], ...]], str] | None

Path = tuple[str | int, ...]

_BOOLEANS = ("true", "false", "yes", "no", "on", "off", "y", "n")

_PLAIN_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEX = re.compile(r"[-+]?0x[0-9a-fA-F]+")
_OTHER_INT = re.compile(r"([-+]?)(?:0b([01]+)|0([0-7]+))")
_MAX_DIGITS = 18
"""A number of more has no meaning here, and does not fit 64 bits."""


@dataclass(frozen=True)
class Place:
    """Where something stands; counts from 0 as YAML does."""

    line: int
    column: int
    length: int = 1


@dataclass
class Document:
    """A file as plain values, with places and raw texts by path."""

    name: str
    text: str
    data: dict[str, object] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    raw: dict[Path, str] = field(default_factory=dict)
    """Text of plain (unquoted) scalars as written."""
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Find where a path stands; of one that is not written, the nearest above it."""
        path = tuple(path)
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
            if path in self.keys:
                return self.keys[path]
        return self.values.get(path, Place(0, 0))

    def fault(self, path: Path, message: str, *, key: bool = False) -> Fault:
        """Make a fault at a path."""
        at = self.place(path, key=key)
        return Fault(at.line + 1, at.column + 1, message, at.length)

    def add(self, path: Path, message: str, *, key: bool = False) -> None:
        """Note a fault at a path."""
        self.note(self.fault(path, message, key=key))

    def note(self, fault: Fault) -> None:
        """Note a fault; SpecFaults once there are so many that a file is something else."""
        self.faults.append(fault)
        if len(self.faults) >= MAX_FAULTS:
            raise SpecFaults(self.name, self.faults, self.text)


def read(
    name: str,
    raw: bytes | str,
    reveal: Reveal = None,
    *,
    what: str = "a spec",
    optional: bool = False,
    tags: tuple[str, ...] = (),
) -> Document:
    """Read a YAML mapping; SpecFaults where there is no value to go on with.

    Faults that leave the rest readable are in `faults` of the result. An `optional` text
    may be empty; a scalar with one of `tags` is its text.
    """
    text = raw if isinstance(raw, str) else decode(name, raw, what)
    document = Document(name, text)
    try:
        node = compose(text)
    except NodesError as wrong:
        raise SpecFaults(name, wrong.faults, text) from None
    if optional and (node is None or node.tag == f"{TAG}null"):
        return document
    if node is None:
        raise SpecFaults(name, [Fault(1, 1, f"is empty: {what} is a YAML mapping")], text)
    if not isinstance(node, yaml.MappingNode):
        at = node.start_mark
        example = "keys such as `workload:`" if what == "a spec" else "names as keys"
        message = f"has to be a mapping with {example}"
        raise SpecFaults(name, [Fault(at.line + 1, at.column + 1, message)], text)
    try:
        document.data = _Reader(document, reveal, tags).value(node, ())
    except _TooMuchError as wrong:
        raise SpecFaults(name, [*document.faults, wrong.fault], text) from None
    return document


class _TooMuchError(Exception):
    """Reading cannot go on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Reader:
    """Turns nodes into values; collects places and faults in the document."""

    def __init__(self, document: Document, reveal: Reveal, tags: tuple[str, ...]) -> None:
        self.document = document
        self.tags = tags
        self.reveal = reveal
        self.count = 0
        self.open: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        document = self.document
        self.tick(node)
        document.values[path] = _place(node)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        if id(node) in self.open:
            raise _TooMuchError(_fault(node, "an anchor contains itself"))
        if len(path) >= MAX_DEPTH:
            raise _TooMuchError(_fault(node, "is nested too deeply"))
        if not node.tag.startswith(TAG) or node.tag.removeprefix(TAG) not in ("map", "seq"):
            document.add(path, f"the tag {_shown_tag(node.tag)} is not known")
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
            return self.mapping(cast("yaml.MappingNode", node), path)
        finally:
            self.open.discard(id(node))

    def tick(self, node: yaml.Node) -> None:
        """Count what is gone through: aliases and merges make much of little text."""
        self.count += 1
        if self.count > MAX_NODES:
            what = "is too large once its aliases are filled in (an alias bomb?)"
            raise _TooMuchError(_fault(node, what))

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{TAG}merge":
                merged.append(value_node)
                continue
            key = self.key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in found:
                first = self.document.keys[here].line + 1
                at = _place(key_node)
                message = f"the key `{key}` is there twice (first in line {first})"
                self.document.note(Fault(at.line + 1, at.column + 1, message, at.length))
                continue
            self.document.keys[here] = _place(key_node)
            found[key] = self.value(value_node, here)
        for other in merged:
            self.merge(other, found, path)
        return found

    def merge(self, node: yaml.Node, into: dict[str, object], path: Path) -> None:
        """Take `<<: *anchor`; keys that are written win."""
        self.tick(node)
        if isinstance(node, yaml.SequenceNode):
            if id(node) in self.open:
                raise _TooMuchError(_fault(node, "an anchor contains itself"))
            self.open.add(id(node))
            for item in node.value:
                self.merge(item, into, path)
            self.open.discard(id(node))
            return
        if not isinstance(node, yaml.MappingNode):
            self.document.note(_fault(node, "`<<` merges mappings only"))
            return
        if id(node) in self.open:
            raise _TooMuchError(_fault(node, "an anchor contains itself"))
        self.open.add(id(node))
        for key_node, value_node in node.value:
            self.tick(key_node)
            if key_node.tag == f"{TAG}merge":
                self.merge(value_node, into, path)
                continue
            key = self.key(key_node, path)
            if key is not None and key not in into:
                self.document.keys[(*path, key)] = _place(key_node)
                into[key] = self.value(value_node, (*path, key))
        self.open.discard(id(node))

    def key(self, node: yaml.Node, path: Path) -> str | None:
        """Give a key as written: `on`, `1000` and `1.22` stay what they are."""
        if isinstance(node, yaml.ScalarNode):
            if node.tag == f"{TAG}null" and node.style is None:
                self.document.note(_fault(node, "a key is empty"))
                return None
            return self.text(node)
        said = self.document.text[node.start_mark.index - 1 : node.end_mark.index + 1]
        if said.startswith("{{"):
            self.document.add(path, f'a value with {{{{ … }}}} has to be in quotes: "{said}"')
        else:
            self.document.note(_fault(node, "a key has to be a text"))
        return None

    def scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        text = self.text(node)
        if node.style is None:
            self.document.raw[path] = text
        if node.tag == "!secret":
            try:
                return Secret((Secret.source(text),), self.reveal)
            except ValueError as wrong:
                self.document.add(path, str(wrong))
                return text
        if node.tag in self.tags:
            return text
        if node.tag in ("!vault", "!vault-encrypted"):
            self.document.add(path, f"is encrypted: {VAULT}")
            return None
        return self.plain(node, text, path)

    def plain(self, node: yaml.ScalarNode, text: str, path: Path) -> object:
        """Give a scalar of a tag of YAML's own."""
        kind = node.tag.removeprefix(TAG)
        reader = {"int": self.integer, "float": self.real}.get(kind)
        if reader is not None:
            return reader(text, path)
        if kind == "null":
            if text not in ("", "~", "null", "Null", "NULL"):
                self.document.add(path, f"`{shortened(text)}` is tagged as nothing, and is a text")
            return None
        if kind == "bool":
            if text.lower() not in _BOOLEANS:
                self.document.add(path, f"`{shortened(text)}` is not true or false")
            return text.lower() in ("true", "yes", "on", "y")
        if kind not in ("str", "timestamp", "value", "merge"):
            self.document.add(path, f"the tag {_shown_tag(node.tag)} is not known")
        return text

    def text(self, node: yaml.ScalarNode) -> str:
        """Join the halves of characters that JSON writes as two escapes; refuse lone ones."""
        text = str(node.value)
        if node.style != '"' or not any("\ud800" <= character <= "\udfff" for character in text):
            return text
        halves = text.encode("utf-16-le", "surrogatepass")
        try:
            return halves.decode("utf-16-le")
        except UnicodeDecodeError:
            self.document.note(_fault(node, "holds half a character (a lone surrogate)"))
            return halves.decode("utf-16-le", "replace")

    def integer(self, text: str, path: Path) -> object:
        digits = text.replace("_", "")
        if len(digits.lstrip("+-")) > _MAX_DIGITS:
            count = len(digits.lstrip("+-"))
            message = f"a number of {count} digits: a text has to be in quotes"
            self.document.add(path, f"{message}, a number has at most {_MAX_DIGITS}")
            return text
        if _PLAIN_INT.fullmatch(digits):
            number = int(digits)
            return number if str(number) == text else Spelled(number)
        if _HEX.fullmatch(digits) and text == digits:
            return Spelled(text, 16)
        other = _OTHER_INT.fullmatch(digits)
        if other is not None:
            number = int(other[2], 2) if other[2] else int(other[3], 8)
            reading = f"{other[1].replace('+', '')}{number}, not as it is written"
        elif ":" in text:
            reading = "a number of base 60"
        else:
            self.document.add(path, f"`{shortened(text)}` is not a whole number")
            return text
        self.document.add(path, f'`{text}` reads as {reading}: write "{text}" in quotes')
        return text

    def real(self, text: str, path: Path) -> object:
        if ":" in text:
            message = f'`{text}` reads as a number of base 60: write "{text}" in quotes'
            self.document.add(path, message)
            return text
        try:
            number = float(text.replace("_", ""))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.document.add(path, f"`{shortened(text)}` is not a number that can be measured")
            return text
        return number


def _place(node: yaml.Node) -> Place:
    start, end = node.start_mark, node.end_mark
    on_one_line = start.line == end.line and isinstance(node, yaml.ScalarNode)
    return Place(start.line, start.column, max(1, end.column - start.column) if on_one_line else 1)


def _fault(node: yaml.Node, message: str) -> Fault:
    at = _place(node)
    return Fault(at.line + 1, at.column + 1, message, at.length)


def _shown_tag(tag: str) -> str:
    return f"`!!{tag.removeprefix(TAG)}`" if tag.startswith(TAG) else f"`{tag}`"
