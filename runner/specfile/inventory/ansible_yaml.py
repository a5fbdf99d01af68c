"""Ansible's YAML inventories, as ansible/plugins/inventory/yaml.py reads them.

Where Ansible passes over a key that it does not know, this is a fault: what is
written and has no effect is a slip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.spec.base import did_you_mean
from runner.specfile.inventory.names import expand_range, split_port
from runner.specfile.inventory.own import mapping, origin, variables
from runner.specfile.inventory.written import Variable

if TYPE_CHECKING:
    from runner.specfile.inventory.written import Written
    from runner.specfile.values import Document, Path

_KEYS = ("hosts", "vars", "children")


def read_yaml(document: Document, into: Written) -> None:
    """Read `all: {hosts, vars, children}` and further top groups; faults are noted."""
    for name, entry in document.data.items():
        _group(document, into, name, entry, (name,))


def _group(document: Document, into: Written, name: str, entry: object, path: Path) -> None:
    group = into.group(name)
    for key, value in mapping(document, entry, path).items():
        here = (*path, key)
        # Ansible takes a lone name too
        inner = {value: None} if isinstance(value, str) and key in _KEYS else value
        if key == "hosts":
            for pattern, own in mapping(document, inner, here).items():
                _hosts(document, into, name, pattern, own, (*here, pattern))
        elif key == "vars":
            for variable, one in variables(document, inner, here).items():
                group.set(variable, one)
        elif key == "children":
            for child, below in mapping(document, inner, here).items():
                group.children[child] = None
                _group(document, into, child, below, (*here, child))
        else:
            hint = did_you_mean(key, _KEYS)
            document.add(here, f"unknown key `{key}` in the group `{name}`{hint}", key=True)


def _hosts(
    document: Document, into: Written, group: str, pattern: str, own: object, path: Path
) -> None:
    values = variables(document, own, path)
    name, port = split_port(pattern)
    try:
        names = expand_range(name)
    except ValueError as wrong:
        document.add(path, str(wrong), key=True)
        return
    for host in names:
        new = host not in into.hosts
        known = into.host(host, group)
        if port is not None and new:
            known["ansible_port"] = Variable(port, origin(document, path))
        known.update(values)
