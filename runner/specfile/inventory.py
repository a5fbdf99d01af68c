"""Hosts by name: our own hosts.yaml, or an Ansible inventory in YAML or INI.

A name that is in no inventory stands for itself: `local` is this machine, any
other name is given to ssh as it is, so that ~/.ssh/config goes on working.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from runner.errors import SpecError
from runner.spec.base import did_you_mean, shape
from runner.specfile.ansible import expand_range, parse_ini
from runner.specfile.errors import SpecFaults
from runner.specfile.groups import (
    ANSIBLE,
    LOCAL,
    MAX_DEPTH,
    Group,
    HostEntry,
    Inventory,
    assemble,
    host_entry,
)
from runner.specfile.secrets import revealer
from runner.specfile.values import decode, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.specfile.values import Document, Path

__all__ = ["HostEntry", "Inventory", "find_inventory", "load", "parse_inventory"]

NAMES = ("hosts.yaml", "hosts.yml", "inventory.yaml", "inventory.yml", "inventory.ini", "hosts")

_OURS: dict[str, tuple[type, ...]] = {
    "address": (str,),
    "user": (str,),
    "port": (int,),
    "become": (bool,),
    "key": (str,),
    "python": (str,),
    "jump": (str,),
    "connection": (str,),
    "lease": (str, int),
    "vars": (dict,),
}


def find_inventory(folder: FilePath) -> FilePath | None:
    """Find an inventory in a folder, by its usual names."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def load(path: FilePath | str) -> Inventory:
    """Read an inventory; SpecFaults holds every fault of it."""
    file = FilePath(path)
    if file.is_dir():
        found = find_inventory(file)
        if found is None:
            raise SpecError(f"{path}: no inventory in this folder", fix=f"add {NAMES[0]}")
        file = found
    try:
        raw = file.read_bytes()
    except OSError as wrong:
        said = (wrong.strerror or "cannot be read").lower()
        raise SpecError(f"{path}: {said}", fix="give the path of an inventory") from None
    inventory = parse_inventory(raw, str(file), file.parent)
    return _with_vars_folders(inventory, file.parent)


def parse_inventory(raw: bytes | str, name: str, folder: FilePath | None = None) -> Inventory:
    """Read an inventory from its text, whichever of the three forms it has."""
    text = raw if isinstance(raw, str) else decode(name, raw)
    if not name.endswith((".yaml", ".yml")) and _is_ini(text):
        groups = {
            group: Group(
                {host: dict(own) for host, own in found.hosts.items()}, found.vars, found.children
            )
            for group, found in parse_ini(text, name).items()
        }
        return assemble(groups)
    document = read(name, text, revealer(folder or FilePath()))
    if "hosts" in document.data or "groups" in document.data:
        inventory = _own(document)
    else:
        inventory = _ansible_yaml(document)
    if document.faults:
        raise SpecFaults(name, document.faults, text)
    return inventory


def _is_ini(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    return not first.startswith("---") and (first.startswith("[") or ":" not in first.split("=")[0])


def _own(document: Document) -> Inventory:
    """Read `hosts:` and `groups:` as docs and SPEC have them."""
    data = document.data
    for key in data:
        if key not in ("hosts", "groups", "vars", "schema"):
            hint = did_you_mean(key, ("hosts", "groups", "vars"))
            document.add((key,), f"unknown key `{key}`{hint}", key=True)
    groups: dict[str, Group] = {"all": Group()}
    common = _mapping(document, data.get("vars"), ("vars",))
    groups["all"].vars = common
    hosts = _mapping(document, data.get("hosts"), ("hosts",))
    for name, entry in hosts.items():
        groups["all"].hosts[name] = _own_host(document, entry, ("hosts", name))
    for name, entry in _mapping(document, data.get("groups"), ("groups",)).items():
        path: Path = ("groups", name)
        group = {"hosts": entry} if isinstance(entry, list) else _mapping(document, entry, path)
        for key in group:
            if key not in ("hosts", "vars", "children"):
                hint = did_you_mean(key, ("hosts", "vars", "children"))
                message = f"unknown key `{key}` in `groups.{name}`{hint}"
                document.add((*path, key), message, key=True)
        members = group.get("hosts") or []
        made = Group(vars=_mapping(document, group.get("vars"), (*path, "vars")))
        for index, member in enumerate(members if isinstance(members, (list, dict)) else []):
            if str(member) not in hosts and str(member) not in LOCAL:
                hint = did_you_mean(str(member), hosts)
                document.add((*path, "hosts", index), f"unknown host `{member}`{hint}")
            made.hosts[str(member)] = {}
        made.children = [str(child) for child in group.get("children") or []]
        groups[name] = made
    return assemble(groups)


def _own_host(document: Document, entry: Any, path: Path) -> dict[str, Any]:
    """Give a host's settings under Ansible's names, as everything is kept."""
    back = {ours: theirs for theirs, ours in reversed(ANSIBLE.items())}
    found: dict[str, Any] = {}
    for key, value in _mapping(document, entry, path).items():
        here = (*path, key)
        if key not in _OURS:
            hint = did_you_mean(key, _OURS)
            document.add(here, f"unknown key `{key}` in `hosts.{path[-1]}`{hint}", key=True)
        elif not isinstance(value, _OURS[key]) or (isinstance(value, bool) and key != "become"):
            what = {"port": "a port number", "become": "true or false", "vars": "a mapping"}
            document.add(here, f"has to be {what.get(key, 'a text')}, not {shape(value)}")
        elif key == "vars":
            found.update(_mapping(document, value, here))
        else:
            found[back.get(key, f"runner_{key}")] = value
    return found


def _mapping(document: Document, value: Any, path: Path) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        document.add(path, f"has to be a mapping, not {shape(value)}")
        return {}
    return value


def _ansible_yaml(document: Document) -> Inventory:
    """Read `all: {hosts, vars, children}` and further top groups."""
    groups: dict[str, Group] = {}

    for name, entry in document.data.items():
        _walk(document, groups, name, entry, (name,))
    return assemble(groups)


def _walk(document: Document, groups: dict[str, Group], name: str, entry: Any, path: Path) -> None:
    group = groups.setdefault(name, Group())
    if len(path) > MAX_DEPTH:
        document.add(path, "groups are nested too deeply")
        return
    for key, value in _mapping(document, entry, path).items():
        here = (*path, key)
        if key == "hosts":
            # Ansible takes a lone name too
            written = {value: None} if isinstance(value, str) else value
            for pattern, own in _mapping(document, written, here).items():
                values = _mapping(document, own, (*here, pattern))
                for host in _expand(document, pattern, (*here, pattern)):
                    group.hosts.setdefault(host, {}).update(values)
        elif key == "vars":
            group.vars.update(_mapping(document, value, here))
        elif key == "children":
            for child, inner in _mapping(document, value, here).items():
                group.children.append(child)
                _walk(document, groups, child, inner, (*here, child))
        else:
            hint = did_you_mean(key, ("hosts", "vars", "children"))
            document.add(here, f"unknown key `{key}` in the group `{name}`{hint}", key=True)


def _expand(document: Document, pattern: str, path: Path) -> list[str]:
    try:
        return expand_range(pattern)
    except ValueError as wrong:
        document.add(path, str(wrong), key=True)
        return []


def _with_vars_folders(inventory: Inventory, folder: FilePath) -> Inventory:
    """Add group_vars/ and host_vars/ beside the inventory, as Ansible does."""
    if not any((folder / part).is_dir() for part in ("group_vars", "host_vars")):
        return inventory
    hosts: dict[str, HostEntry] = {}
    for name, entry in inventory.hosts.items():
        values: dict[str, Any] = {}
        for group in ("all", *entry.groups):
            values.update(_vars_of(folder / "group_vars", group))
        # what the inventory itself says of a host stands over its groups' folders
        values.update(entry.vars)
        values.update(_vars_of(folder / "host_vars", name))
        back = {ours: theirs for theirs, ours in reversed(ANSIBLE.items())}
        for ours in ("address", "user", "port", "key", "python"):
            if getattr(entry, ours) is not None:
                values.setdefault(back[ours], getattr(entry, ours))
        if entry.become:
            values.setdefault("ansible_become", True)
        if entry.local:
            values.setdefault("ansible_connection", "local")
        if entry.jump is not None:
            values["runner_jump"] = entry.jump
        hosts[name] = host_entry(name, values, entry.groups)
    return Inventory(hosts, inventory.groups)


def _vars_of(folder: FilePath, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in _files(folder, name):
        document = read(str(file), file.read_bytes(), revealer(file.parent))
        if document.faults:
            raise SpecFaults(str(file), document.faults, document.text)
        found.update(document.data)
    return found


def _files(folder: FilePath, name: str) -> Iterable[FilePath]:
    for suffix in ("", ".yml", ".yaml"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(x for x in path.iterdir() if x.suffix in (".yml", ".yaml"))
