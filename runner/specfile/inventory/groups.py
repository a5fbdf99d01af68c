"""Hosts and groups by name, joined as Ansible joins them.

Lowest first: variables of `all`, of groups (the further down the later, then by
ansible_group_priority, then by name), group_vars/all, group_vars/GROUP, the host's own
line, host_vars/HOST. Source: ansible/vars/manager.py, inventory/group.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from runner.errors import SpecError
from runner.spec.base import did_you_mean
from runner.specfile.inventory.entry import HostEntry, host_entry, is_connection_variable
from runner.specfile.inventory.names import LOCAL, choose, is_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.specfile.inventory.written import Group, Vars, Written


@dataclass(frozen=True)
class Inventory:
    """Hosts and groups by name."""

    hosts: dict[str, Vars] = field(default_factory=dict)
    """Joined variables of each host."""
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Hosts of each group, those of groups below it too; `all` apart."""
    inside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Groups of each host, the nearest last; `all` and `ungrouped` apart."""

    def host(self, name: str) -> HostEntry:
        """Give a host; a name that is not written stands for itself.

        Raises SpecError where a variable of its connection cannot be kept.
        """
        if name in self.hosts:
            return host_entry(name, self.hosts[name], self.inside.get(name, ()))
        return HostEntry(name, local=name in LOCAL)

    def names(self, pattern: str) -> tuple[str, ...]:
        """Give the hosts of a host's or a group's name, or a pattern of --limit.

        `lab:!pi5`, `pi4,pi5`, `pi*`, `lab:&fast`, `lab[0]` and `~pi[45]` mean what they mean to
        Ansible. A plain name that is not here stands for itself; SpecError where a pattern
        matches nothing.
        """
        if not is_pattern(pattern) and pattern not in self.groups and pattern != "all":
            return (pattern,)
        return choose(pattern, list(self.hosts), self._all_groups())

    def narrowed(self, names: tuple[str, ...], pattern: str) -> tuple[str, ...]:
        """Give those of some names that a pattern of --limit leaves."""
        if not pattern.strip():
            raise SpecError("--limit is empty: leave it out, or name a host, a group or a pattern")
        known = list(dict.fromkeys((*self.hosts, *names)))
        groups = {**self._all_groups(), "all": tuple(known)}
        chosen = set(choose(pattern, known, groups))
        return tuple(name for name in names if name in chosen)

    def _all_groups(self) -> dict[str, tuple[str, ...]]:
        return {**self.groups, "all": tuple(self.hosts)}

    def variables(self, name: str) -> dict[str, object]:
        """Give the variables that a spec sees for a host."""
        known = self.hosts.get(name, {})
        return {key: one.value for key, one in known.items() if not is_connection_variable(key)}


class VarsFolder(Protocol):
    """group_vars/ and host_vars/ beside an inventory."""

    def of_group(self, name: str) -> Vars:
        """Variables of a group."""

    def of_host(self, name: str) -> Vars:
        """Variables of a host."""


def join(written: Written, folder: VarsFolder | None = None) -> Inventory:
    """Join groups and hosts; SpecError where a group contains itself."""
    groups = written.groups
    parents = _parents(groups)
    _refuse_circle(groups, parents)
    depth = _depths(groups, parents)
    members = {name: _members(groups, name) for name in groups}
    own = [name for name in groups if name not in ("all", "ungrouped")]
    grouped = {host for name in own for host in members[name]}
    members["ungrouped"] = tuple(host for host in written.hosts if host not in grouped)
    members["all"] = tuple(written.hosts)
    order = sorted(groups, key=lambda name: (depth[name], groups[name].priority, name))
    inside: dict[str, list[str]] = {host: [] for host in written.hosts}
    for name in order:
        for host in members[name]:
            inside[host].append(name)
    from_folder = {name: folder.of_group(name) for name in order} if folder is not None else {}
    hosts: dict[str, Vars] = {}
    for host, line in written.hosts.items():
        joined: Vars = {}
        for name in inside[host]:
            joined.update(groups[name].vars)
        for name in inside[host]:
            joined.update(from_folder.get(name, {}))
        joined.update(line)
        if folder is not None:
            joined.update(folder.of_host(host))
        hosts[host] = joined
    shown = [*own, *(["ungrouped"] if members["ungrouped"] else [])]
    return Inventory(
        hosts,
        {name: members[name] for name in groups if name in shown},
        {host: tuple(name for name in names if name in own) for host, names in inside.items()},
    )


def _parents(groups: Mapping[str, Group]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in groups}
    for name, group in groups.items():
        for child in group.children:
            if child not in groups:
                hint = did_you_mean(child, groups)
                raise SpecError(f"the group {name} has an unknown child {child}{hint}")
            found[child].append(name)
    return found


def _refuse_circle(groups: Mapping[str, Group], parents: Mapping[str, list[str]]) -> None:
    """Take away groups without a parent until none is left; what stays goes round."""
    left = {name: len(above) for name, above in parents.items()}
    ready = [name for name, count in left.items() if not count]
    while ready:
        for child in groups[ready.pop()].children:
            left[child] -= 1
            if not left[child]:
                ready.append(child)
    circle = [name for name, count in left.items() if count]
    if circle:
        raise SpecError(f"the group {circle[0]} contains itself", fix="take it out of its children")


def _depths(groups: Mapping[str, Group], parents: Mapping[str, list[str]]) -> dict[str, int]:
    depth: dict[str, int] = {"all": 0}
    waiting = list(groups)
    while waiting:
        name = waiting[-1]
        above = [parent for parent in parents[name] if parent not in depth]
        if name in depth or not above:
            waiting.pop()
            if name not in depth:
                depth[name] = 1 + max((depth[parent] for parent in parents[name]), default=0)
        else:
            waiting += above
    return depth


def _members(groups: Mapping[str, Group], name: str) -> tuple[str, ...]:
    """Give a group's own hosts, then those of the groups below it, nearest first."""
    found: dict[str, None] = {}
    seen = {name}
    level = [name]
    while level:
        below: list[str] = []
        for one in level:
            found.update(groups[one].hosts)
            below += [child for child in groups[one].children if child not in seen]
            seen.update(groups[one].children)
        level = below
    return tuple(found)
