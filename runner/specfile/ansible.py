"""What is Ansible's own: INI inventories and host patterns.

Source: Ansible, "How to build your inventory" and "Patterns: targeting hosts and
groups"; values of host lines are Python literals where they are, else text.
"""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from runner.spec.base import did_you_mean
from runner.specfile.errors import Fault, SpecFaults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECTION = re.compile(r"\[([^\]:\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_RANGE = re.compile(r"\[(\w+):(\w+)(?::(\d+))?\]")
MAX_RANGE = 10_000


@dataclass
class IniGroup:
    """A group as written."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)


def parse_ini(text: str, name: str) -> dict[str, IniGroup]:
    """Read an INI inventory into groups; hosts before the first section are ungrouped."""
    groups: dict[str, IniGroup] = {"all": IniGroup()}
    faults: list[Fault] = []
    group, kind = "ungrouped", "hosts"
    for number, line in enumerate(text.split("\n"), 1):
        said = line.strip()
        if not said or said[0] in "#;":
            continue
        column = line.index(said[0]) + 1
        if said.startswith("["):
            match = _SECTION.fullmatch(said)
            if match is None or (match[2] or "hosts") not in ("hosts", "vars", "children"):
                hint = did_you_mean(match[2], ("vars", "children")) if match else ""
                message = f"`{said}` is no section: [group], [group:vars] or [group:children]{hint}"
                faults.append(Fault(number, column, message, len(said)))
                continue
            group, kind = match[1], match[2] or "hosts"
            groups.setdefault(group, IniGroup())
            continue
        try:
            _line(said, kind, groups.setdefault(group, IniGroup()), groups)
        except ValueError as wrong:
            faults.append(Fault(number, column, str(wrong), len(said)))
    if faults:
        raise SpecFaults(name, faults, text)
    return groups


def _line(said: str, kind: str, group: IniGroup, groups: dict[str, IniGroup]) -> None:
    if kind == "children":
        child = said.split(maxsplit=1)[0]
        group.children.append(child)
        groups.setdefault(child, IniGroup())
        return
    if kind == "vars":
        key, equals, value = said.partition("=")
        if not equals:
            raise ValueError(f"`{said}` is no variable: write name=value")
        group.vars[key.strip()] = _value(value.strip())
        return
    words = shlex.split(said, comments=True)
    own: dict[str, Any] = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"`{word}` is no variable: write name=value")
        own[key] = _value(value)
    for host in expand_range(words[0]):
        name, port = _split_port(host)
        known = group.hosts.setdefault(name, {})
        if port is not None:
            known["ansible_port"] = port
        known.update(own)


def _split_port(host: str) -> tuple[str, int | None]:
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal() and ":" not in name:
        return name, int(port)
    return host, None


def _value(text: str) -> Any:
    """Read a value as Ansible does: a Python literal where it is one, else the text."""
    if text.lower() in ("true", "yes", "false", "no"):
        return text.lower() in ("true", "yes")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def expand_range(name: str) -> list[str]:
    """Write out `pi[01:04]` and `rack-[a:c]`; ValueError where the range is none."""
    match = _RANGE.search(name)
    if match is None:
        return [name]
    low, high, step = match[1], match[2], int(match[3] or 1)
    if low.isdecimal() and high.isdigit() and step > 0:
        numbers = range(int(low), int(high) + 1, step)
        if len(numbers) > MAX_RANGE:
            raise ValueError(f"`{name}` has more than {MAX_RANGE} hosts")
        items = [str(number).zfill(len(low)) for number in numbers]
    elif len(low) == len(high) == 1 and low.isalpha() and high.isalpha() and step > 0:
        items = [chr(code) for code in range(ord(low), ord(high) + 1, step)]
    else:
        raise ValueError(f"`{match[0]}` is no range: write [1:4] or [a:c]")
    found: list[str] = []
    for item in items:
        found += expand_range(name[: match.start()] + item + name[match.end() :])
    return found


def hosts_of_pattern(
    pattern: str, hosts: Sequence[str], groups: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Give the hosts of a pattern: unions, then `&` intersections, then `!` exclusions."""
    parts = [part.strip() for part in re.split(r"[,:]", pattern) if part.strip()]

    def one(part: str) -> list[str]:
        if part == "*":
            return list(hosts)
        found = [name for name in hosts if fnmatchcase(name, part)]
        for group, members in groups.items():
            if fnmatchcase(group, part):
                found += members
        return found

    plain = [part for part in parts if part[0] not in "&!"]
    chosen = [host for part in plain for host in one(part)] if plain else list(hosts)
    for part in parts:
        if part[0] == "&":
            chosen = [host for host in chosen if host in one(part[1:])]
    for part in parts:
        if part[0] == "!":
            chosen = [host for host in chosen if host not in one(part[1:])]
    return tuple(dict.fromkeys(chosen))
