"""Ansible's INI inventories, as ansible/plugins/inventory/ini.py reads them.

Values of host lines and of `[group:vars]` are Python literals where they are, else
text: `yes` and `0644` stay text, `1` and `True` do not.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings

from runner.spec.base import did_you_mean
from runner.specfile.errors import Fault, SpecFaults
from runner.specfile.inventory.names import expand_range, split_port
from runner.specfile.inventory.written import Origin, Variable, Written

_SECTION = re.compile(r"\[([^\]:\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_GROUP = re.compile(r"([^:\]\s]+)\s*(?:[#;].*)?")
_KINDS = ("hosts", "vars", "children")
_MAX_LITERAL = 10_000


def read_ini(text: str, name: str, into: Written) -> None:
    """Read an INI inventory; SpecFaults holds every fault of it."""
    _Reader(text, name, into).read()


class _Reader:
    def __init__(self, text: str, name: str, into: Written) -> None:
        self.text, self.name, self.written = text, name, into
        self.faults: list[Fault] = []
        self.pending: dict[str, Fault] = {}
        self.declared = set(into.groups)

    def read(self) -> None:
        group, kind = "ungrouped", "hosts"
        for number, line in enumerate(self.text.splitlines(), 1):
            said = line.strip()
            if not said or said[0] in "#;":
                continue
            column = line.index(said[0]) + 1
            if said.startswith("["):
                match = _SECTION.fullmatch(said)
                if match is not None and (match[2] or "hosts") in _KINDS:
                    group, kind = match[1], match[2] or "hosts"
                    self.section(group, kind, Fault(number, column, "", len(said)))
                    continue
                if match is not None or said.endswith("]") or kind != "hosts":
                    hint = did_you_mean(match[2], ("vars", "children")) if match else ""
                    shapes = "[group], [group:vars] or [group:children]"
                    message = f"`{said}` is not a section: {shapes}{hint}"
                    self.faults.append(Fault(number, column, message, len(said)))
                    continue
            try:
                self.line(said, group, kind, number, column)
            except ValueError as wrong:
                self.faults.append(Fault(number, column, str(wrong), len(said)))
        self.faults += [
            fault for group, fault in self.pending.items() if group not in self.declared
        ]
        if self.faults:
            raise SpecFaults(self.name, self.faults, self.text)

    def section(self, group: str, kind: str, at: Fault) -> None:
        if kind == "vars":
            message = f"[{group}:vars] is of a group that is declared nowhere: write [{group}] too"
            self.pending.setdefault(group, Fault(at.line, at.column, message, at.length))
        else:
            self.declared.add(group)
        self.written.group(group)

    def line(self, said: str, group: str, kind: str, number: int, column: int) -> None:
        origin = Origin(self.name, number, column)
        if kind == "children":
            match = _GROUP.fullmatch(said)
            if match is None:
                raise ValueError(f"`{said}` is not the name of a group")
            message = f"`{match[1]}` is declared nowhere: write [{match[1]}]"
            self.pending.setdefault(match[1], Fault(number, column, message, len(match[1])))
            self.written.group(match[1])
            self.written.group(group).children[match[1]] = None
            return
        if kind == "vars":
            key, equals, value = said.partition("=")
            if not equals:
                raise ValueError(f"`{said}` is not a variable: write name=value")
            self.written.group(group).set(key.strip(), Variable(_literal(value.strip()), origin))
            return
        words = shlex.split(said, comments=True)
        own = {}
        for word in words[1:]:
            key, equals, value = word.partition("=")
            if not equals:
                raise ValueError(f"`{word}` is not a variable: write name=value")
            own[key] = Variable(_literal(value), origin)
        pattern, port = split_port(words[0])
        if pattern.endswith(":"):
            raise ValueError(f"`{pattern}` ends in `:`, after which a port is missing")
        for host in expand_range(pattern):
            new = host not in self.written.hosts
            known = self.written.host(host, group)
            if port is not None and new:
                known["ansible_port"] = Variable(port, origin)
            known.update(own)


def _literal(text: str) -> object:
    """Read a value as Ansible does: a Python literal where it is one, else the text."""
    if len(text) > _MAX_LITERAL:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _plain(value: object) -> object:
    """Give a literal as JSON has it."""
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, complex) or value is ...:
        return "..." if value is ... else str(value)
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
