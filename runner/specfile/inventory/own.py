"""Our own hosts.yaml: `hosts:` and `groups:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.spec.base import did_you_mean, shape
from runner.specfile.inventory.names import LOCAL
from runner.specfile.inventory.written import Origin, Variable, Vars, Written

if TYPE_CHECKING:
    from runner.specfile.values import Document, Path

_KEYS: dict[str, tuple[str, tuple[type, ...], str]] = {
    "address": ("ansible_host", (str,), "a text"),
    "user": ("ansible_user", (str,), "a text"),
    "port": ("ansible_port", (int,), "a port number"),
    "become": ("ansible_become", (bool,), "true or false"),
    "key": ("ansible_private_key_file", (str,), "a text"),
    "python": ("ansible_python_interpreter", (str,), "a text"),
    "jump": ("runner_jump", (str,), "a text"),
    "connection": ("ansible_connection", (str,), "a text"),
    "lease": ("runner_lease", (str, int), "a time such as 15m"),
    "state": ("runner_state", (str,), "a folder"),
    "tags": ("runner_tags", (list,), "a list of words such as [pi4, 4g]"),
    "load": ("runner_load", (str,), "the name of a host"),
    "power": ("runner_power", (dict,), "a mapping such as {cycle: [uhubctl, -p, '2', -a, cycle]}"),
}
"""Ours → Ansible's name, types, and what to say of another."""


def read_own(document: Document, into: Written) -> None:
    """Read a hosts.yaml; faults are noted in the document."""
    data = document.data
    known = ("hosts", "groups", "vars")
    for key in data:
        if key not in (*known, "schema"):
            document.add((key,), f"unknown key `{key}`{did_you_mean(key, known)}", key=True)
    into.group("all").vars.update(variables(document, data.get("vars"), ("vars",)))
    hosts = mapping(document, data.get("hosts"), ("hosts",))
    for name, entry in hosts.items():
        into.host(name, "all").update(_host(document, entry, ("hosts", name)))
    for name, entry in mapping(document, data.get("groups"), ("groups",)).items():
        _group(document, name, entry, into)


def _group(document: Document, name: str, entry: object, into: Written) -> None:
    path: Path = ("groups", name)
    if name in into.hosts:
        document.add(path, f"`{name}` is a host already: a group has another name", key=True)
        return
    group = {"hosts": entry} if isinstance(entry, list) else mapping(document, entry, path)
    shown = ("hosts", "vars", "children")
    for key in group:
        if key not in shown:
            message = f"unknown key `{key}` in `groups.{name}`{did_you_mean(key, shown)}"
            document.add((*path, key), message, key=True)
    made = into.group(name)
    made.vars.update(variables(document, group.get("vars"), (*path, "vars")))
    where = path if isinstance(entry, list) else (*path, "hosts")
    for index, member in _names(document, group.get("hosts"), where):
        if member in into.hosts or member in LOCAL:
            into.host(member, name)
            continue
        document.add((*where, index), f"unknown host `{member}`{did_you_mean(member, into.hosts)}")
    groups = mapping(document, document.data.get("groups"), ("groups",))
    for index, child in _names(document, group.get("children"), (*path, "children")):
        if child not in groups:
            hint = did_you_mean(child, groups)
            document.add((*path, "children", index), f"unknown group `{child}`{hint}")
        else:
            into.group(child)
            made.children[child] = None


def _names(document: Document, value: object, path: Path) -> list[tuple[str | int, str]]:
    """Give the names of a list, or the keys of a mapping, with where they stand."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [(str(key), str(key)) for key in value]
    if isinstance(value, list):
        found: list[tuple[str | int, str]] = []
        for index, name in enumerate(value):
            if isinstance(name, bool | dict | list) or name is None:
                document.add((*path, index), f"has to be a name, not {shape(name)}")
            else:
                found.append((index, str(name)))
        return found
    document.add(path, f"has to be a list of names, not {shape(value)}")
    return []


def _host(document: Document, entry: object, path: Path) -> Vars:
    """Give a host's settings under Ansible's names, as everything is kept."""
    found: Vars = {}
    for key, value in mapping(document, entry, path).items():
        here = (*path, key)
        if key == "vars":
            found.update(variables(document, value, here))
            continue
        if key not in _KEYS:
            hint = did_you_mean(key, (*_KEYS, "vars"))
            document.add(here, f"unknown key `{key}` in `hosts.{path[-1]}`{hint}", key=True)
            continue
        name, types, what = _KEYS[key]
        expression = isinstance(value, str) and "{{" in value
        # a boolean is a whole number to Python
        fits = isinstance(value, types) and (not isinstance(value, bool) or bool in types)
        if not fits and not expression:
            document.add(here, f"has to be {what}, not {shape(value)}")
        else:
            found[name] = Variable(value, origin(document, here))
    return found


def mapping(document: Document, value: object, path: Path) -> dict[str, object]:
    """Give a mapping; another value is a fault."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        document.add(path, f"has to be a mapping, not {shape(value)}")
        return {}
    return value


def variables(document: Document, value: object, path: Path) -> Vars:
    """Give a mapping as variables with their places."""
    return {
        key: Variable(one, origin(document, (*path, key)))
        for key, one in mapping(document, value, path).items()
    }


def origin(document: Document, path: Path) -> Origin:
    """Give where a path stands."""
    at = document.place(path, key=True)
    return Origin(document.name, at.line + 1, at.column + 1)
