"""Hosts and groups by name, joined as Ansible joins them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.errors import SpecError
from runner.spec.base import Secret
from runner.specfile.ansible import hosts_of_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL = ("local", "localhost")
MAX_DEPTH = 20

ANSIBLE = {
    "ansible_host": "address",
    "ansible_ssh_host": "address",
    "ansible_user": "user",
    "ansible_ssh_user": "user",
    "ansible_port": "port",
    "ansible_ssh_port": "port",
    "ansible_become": "become",
    "ansible_ssh_private_key_file": "key",
    "ansible_private_key_file": "key",
    "ansible_python_interpreter": "python",
    "ansible_connection": "connection",
}


@dataclass(frozen=True)
class HostEntry:
    """One host: how it is reached, and its variables."""

    name: str
    address: str | None = None
    """None: the name itself, as ~/.ssh/config has it."""
    user: str | None = None
    port: int | None = None
    become: bool = False
    key: str | None = None
    python: str | None = None
    jump: str | None = None
    local: bool = False
    """This machine: no ssh."""
    vars: dict[str, Any] = field(default_factory=dict)
    """What a spec sees: the host's own over those of its groups."""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """Hosts and groups by name."""

    hosts: dict[str, HostEntry] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def host(self, name: str) -> HostEntry:
        """Give a host; a name that is not written stands for itself."""
        if name in self.hosts:
            return self.hosts[name]
        return HostEntry(name, local=name in LOCAL)

    def names(self, pattern: str) -> tuple[str, ...]:
        """Give the hosts of a host's or a group's name, or a pattern of --limit.

        `lab:!pi5`, `pi4,pi5`, `pi*` and `lab:&fast` mean what they mean to Ansible.
        """
        groups = {**self.groups, "all": tuple(self.hosts)}
        found = hosts_of_pattern(pattern, list(self.hosts), groups)
        if found or any(mark in pattern for mark in ",:!&*"):
            return found
        return () if pattern in groups else (pattern,)

    def variables(self, name: str) -> dict[str, Any]:
        """Variables that a spec sees for a host."""
        return dict(self.host(name).vars)


@dataclass
class Group:
    """A group as written."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)


def _members(groups: Mapping[str, Group], name: str, depth: int = 0) -> list[str]:
    if depth > MAX_DEPTH:
        raise SpecError(f"the group {name} contains itself", fix="take it out of its children")
    group = groups.get(name, Group())
    found = list(group.hosts)
    for child in group.children:
        found += _members(groups, child, depth + 1)
    return list(dict.fromkeys(found))


def _depth(groups: Mapping[str, Group], name: str) -> int:
    above = [parent for parent, group in groups.items() if name in group.children]
    return 1 + max((_depth(groups, parent) for parent in above), default=0)


def assemble(groups: dict[str, Group]) -> Inventory:
    """Join groups and hosts; a deeper group wins over one above it, the host over all."""
    members = {name: _members(groups, name) for name in groups}
    order = ["all"] if "all" in groups else []
    rest = [name for name in groups if name != "all"]
    order += sorted(rest, key=lambda name: (_depth(groups, name), name))
    hosts: dict[str, HostEntry] = {}
    own: dict[str, dict[str, Any]] = {}
    for group in groups.values():
        for host, values in group.hosts.items():
            own.setdefault(host, {}).update(values)
    for host, values in own.items():
        inside = [name for name in order if name == "all" or host in members[name]]
        joined: dict[str, Any] = {}
        for name in inside:
            joined.update(groups[name].vars)
        joined.update(values)
        hosts[host] = host_entry(host, joined, tuple(name for name in inside if name != "all"))
    found = {name: tuple(listed) for name, listed in members.items() if name != "all"}
    return Inventory(hosts, found)


def host_entry(name: str, values: Mapping[str, Any], groups: tuple[str, ...]) -> HostEntry:
    """Make a host of its joined variables: those that say how it is reached, and the rest."""
    said: dict[str, Any] = {}
    for key, ours in ANSIBLE.items():
        if key in values and ours not in said:
            said[ours] = values[key]
    connection = said.pop("connection", None)
    port = said.pop("port", None)
    become = said.pop("become", False)
    jump = values.get("runner_jump")
    shown = ("ansible_", "runner_")
    unsaid = connection is None and "address" not in said
    local = connection == "local" or (unsaid and name in LOCAL)
    return HostEntry(
        name=name,
        port=None if port is None else int(port),
        become=become if isinstance(become, bool) else str(become).lower() in ("true", "yes", "1"),
        jump=None if jump is None else str(jump),
        local=local,
        vars={name: value for name, value in values.items() if not name.startswith(shown)},
        groups=groups,
        **{key: _text(value) for key, value in said.items()},
    )


def _text(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, Secret) else str(value)
