"""What inventory files say, before groups and hosts are joined."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.errors import SpecError


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a variable is written; lines and columns count from 1."""

    file: str = ""
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Variable:
    """A value of YAML or of an INI line, and where it stands."""

    value: object
    origin: Origin = Origin()


Vars = dict[str, Variable]

PRIORITY = "ansible_group_priority"
_MAX_DIGITS = 18


@dataclass
class Group:
    """A group as written."""

    hosts: dict[str, None] = field(default_factory=dict)
    """Names in the order written."""
    vars: Vars = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    priority: int = 1

    def set(self, name: str, variable: Variable) -> None:
        """Set a variable; ansible_group_priority orders groups and is not one."""
        if name == PRIORITY:
            text = str(variable.value).strip()
            digits = text.removeprefix("-")
            if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS):
                said = f"{PRIORITY} has to be a whole number, not `{text[:40]}`"
                raise SpecError(f"{variable.origin}: {said}", fix="write a number such as 10")
            self.priority = int(text)
        else:
            self.vars[name] = variable


@dataclass
class Written:
    """All groups, and each host's own variables."""

    groups: dict[str, Group] = field(default_factory=lambda: {"all": Group(), "ungrouped": Group()})
    hosts: dict[str, Vars] = field(default_factory=dict)

    def group(self, name: str) -> Group:
        """Give a group; it is there from now on."""
        return self.groups.setdefault(name, Group())

    def host(self, name: str, group: str) -> Vars:
        """Give a host's own variables; it is in the group from now on."""
        self.group(group).hosts[name] = None
        return self.hosts.setdefault(name, {})
