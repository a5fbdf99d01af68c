"""YAML text → a tree of nodes, by libyaml's parser, within limits of size and depth.

The tree is put together here from the parser's events and not by yaml's composer,
which recurses without a bound: text of a stranger must end neither the stack nor
the memory. Marks count from 0; columns and indices count characters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, cast

import yaml

from runner.specfile.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NODES = 50_000
MAX_DEPTH = 60
_PURE_BYTES = 1 << 16
"""Text up to this size is read by the parser in Python where libyaml refuses an escape."""

TAG = "tag:yaml.org,2002:"
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers
_CONTROL = yaml.reader.Reader.NON_PRINTABLE
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class _Parser(Protocol):
    """As much of libyaml's parser, or of the one in Python, as is used."""

    def get_event(self) -> yaml.Event: ...


class NodesError(Exception):
    """The text cannot be read; `faults` says why and where."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


def compose(text: str) -> yaml.Node | None:
    """Give the root node of the one document in a text; None where it is empty.

    Raises NodesError.
    """
    control = _CONTROL.search(text)
    if control is not None:
        at = control.start()
        line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
        message = f"the character U+{ord(text[at]):04X} cannot be in YAML"
        raise NodesError(Fault(line, column, message))
    try:
        return _Composer(_quick(text)).root()
    except yaml.MarkedYAMLError as wrong:
        # JSON writes one character as two escapes, which libyaml refuses
        if not (_HALF.search(text) and len(text) <= _PURE_BYTES):
            raise NodesError(*_syntax(text, wrong)) from None
    try:
        return _Composer(cast("_Parser", yaml.SafeLoader(text))).root()
    except yaml.MarkedYAMLError as wrong:
        raise NodesError(*_syntax(text, wrong)) from None
    except (ValueError, OverflowError):
        raise NodesError(Fault(1, 1, "holds an escape beyond Unicode")) from None


def _quick(text: str) -> _Parser:
    if not yaml.__with_libyaml__:
        return cast("_Parser", yaml.SafeLoader(text))
    from yaml._yaml import CParser

    return cast("_Parser", CParser(text))


class _Composer:
    """Joins events to nodes, without recursion."""

    def __init__(self, parser: _Parser) -> None:
        self.parser = parser
        self.open: list[yaml.CollectionNode] = []
        self.keys: list[yaml.Node | None] = []
        """Of each open mapping the key that waits for its value."""
        self.anchors: dict[str, yaml.Node] = {}
        self.first: yaml.Node | None = None
        self.count = 0

    def root(self) -> yaml.Node | None:
        documents = 0
        while True:
            event = self.parser.get_event()
            match event:
                case yaml.StreamEndEvent():
                    return self.first
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise NodesError(
                            _at(event, "a second document begins: a spec is one YAML document")
                        )
                case yaml.AliasEvent():
                    self.place(self.known(event))
                case yaml.ScalarEvent():
                    self.place(self.named(event, _scalar(event)))
                case yaml.CollectionStartEvent():
                    self.begin(event)
                case yaml.CollectionEndEvent():
                    self.open[-1].end_mark = event.end_mark
                    self.open.pop()
                    self.keys.pop()

    def begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise NodesError(_at(event, f"is nested too deeply (more than {MAX_DEPTH} levels)"))
        start, end = _marks(event)
        tag = event.tag if event.tag != "!" else None
        node: yaml.CollectionNode
        if isinstance(event, yaml.SequenceStartEvent):
            node = yaml.SequenceNode(tag or f"{TAG}seq", [], start, end, event.flow_style)
        else:
            node = yaml.MappingNode(tag or f"{TAG}map", [], start, end, event.flow_style)
        self.place(self.named(event, node))
        self.open.append(node)
        self.keys.append(None)

    def known(self, event: yaml.AliasEvent) -> yaml.Node:
        node = self.anchors.get(str(event.anchor))
        if node is None:
            message = f"found undefined alias '{event.anchor}': no `&` anchor of that name above"
            raise NodesError(_at(event, message))
        return node

    def named(self, event: yaml.NodeEvent, node: yaml.Node) -> yaml.Node:
        self.count += 1
        if self.count > MAX_NODES:
            raise NodesError(_at(event, f"is too large: more than {MAX_NODES} values"))
        name = event.anchor
        if name is not None:
            if name in self.anchors:
                line = self.anchors[name].start_mark.line + 1
                raise NodesError(_at(event, f"the anchor `&{name}` is there twice (line {line})"))
            self.anchors[name] = node
        return node

    def place(self, node: yaml.Node) -> None:
        """Put a node where it belongs: below the innermost that is open."""
        if not self.open:
            self.first = node
        elif isinstance(self.open[-1], yaml.SequenceNode):
            self.open[-1].value.append(node)
        elif self.keys[-1] is None:
            self.keys[-1] = node
        else:
            self.open[-1].value.append((self.keys[-1], node))
            self.keys[-1] = None


def _scalar(event: yaml.ScalarEvent) -> yaml.ScalarNode:
    tag = event.tag
    if tag is None or tag == "!":
        plain = event.style is None or event.style == ""
        tag = _resolved(event.value) if tag is None and plain else f"{TAG}str"
    return yaml.ScalarNode(tag, event.value, *_marks(event), event.style or None)


def _resolved(text: str) -> str:
    """Give the tag that YAML 1.1 has for a plain scalar."""
    for tag, pattern in (*_RESOLVERS.get(text[:1], ()), *_RESOLVERS.get(None, ())):
        if pattern.match(text):
            return str(tag)
    return f"{TAG}str"


def _marks(event: yaml.Event) -> tuple[yaml.Mark, yaml.Mark]:
    """Give where an event begins and ends; a parser's events have both."""
    return cast("yaml.Mark", event.start_mark), cast("yaml.Mark", event.end_mark)


def _at(event: yaml.Event, message: str) -> Fault:
    mark, _ = _marks(event)
    return Fault(mark.line + 1, mark.column + 1, message)


def _syntax(text: str, wrong: yaml.MarkedYAMLError) -> Sequence[Fault]:
    mark = wrong.problem_mark or wrong.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = (wrong.problem or "cannot be read").replace("in this context", "here")
    lines = text.split("\n")
    here = lines[line - 1] if line <= len(lines) else ""
    if "'\\t'" in problem or (
        "cannot start any token" in problem and here[column - 1 : column] == "\t"
    ):
        tabs = [
            Fault(number, said.index("\t") + 1, "a tab cannot indent YAML: use spaces")
            for number, said in enumerate(lines, 1)
            if said.lstrip(" ").startswith("\t") and said.strip()
        ]
        return tabs or [Fault(line, column, "a tab cannot stand here: use spaces")]
    if "mapping values are not allowed" in problem:
        hint = "`: ` inside a text: write the text in quotes"
        return [Fault(line, column, f"{problem}; {hint}")]
    if "maximum nesting depth" in problem:
        return [Fault(line, column, f"is nested too deeply (more than {MAX_DEPTH} levels)")]
    hint = ""
    if any(sign in here for sign in ("{{", "}}")):
        hint = '; a value with {{ … }} has to be in quotes: "{{ name }}"'
    elif "{" in here and ("flow" in f"{problem} {wrong.context}" or "','" in problem):
        hint = "; a text with { or } has to be in quotes"
    context = f" {wrong.context}" if wrong.context and "while" in wrong.context else ""
    if context and wrong.context_mark and wrong.context_mark.line + 1 != line:
        context += f" that begins in line {wrong.context_mark.line + 1}"
    return [Fault(line, column, f"is not YAML{context}: {problem}{hint}")]
