"""What every resource kind is to the rest: a model of what a user writes, and a pure plan.

A kind describes; it runs nothing. `candidates` says what to read while nothing
is known of the host, `plan` turns facts and those values into cells with a
desired value. Undo is never described: it is the observed prior value, written
back by the agent (docs/design/001-contracts.md, "Cells").
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Protocol,
    TypeAlias,
    TypeVar,
    runtime_checkable,
)

from pydantic import BaseModel, BeforeValidator, ConfigDict, RootModel, SecretStr

from runner.records import cells
from runner.records.plain import Json as PlainJson
from runner.records.secrets import from_written

Facts: TypeAlias = Mapping[str, Any]
"""Flat and dotted; a key that is missing was not probed, a None is known to be absent."""

Values: TypeAlias = Mapping[str, object]
"""Observed value of each cell by id; a missing id was not read, a None is absent."""

Json: TypeAlias = cells.Cell
"""A cell as a host is sent it."""


class Unset(Enum):
    """The type of UNSET: no value given, where None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True)
class ReadError:
    """A value that could not be read: stands in `Values` in place of the value."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One address with one value; all that the agent knows of a resource."""

    id: str
    """`kind:name`, unique in the program."""
    via: str
    """pseudo, file, cgroup, swap, argv or link."""
    path: str = ""
    name: str = ""
    """Interface of a `link`, what is meant by an `argv`."""
    attr: str = ""
    read: tuple[str, ...] = ()
    parse: str = ""
    """Regular expression on the output of `read`; group 1 is the value, no match is null."""
    write: cells.Ways | None = None
    """Argv by desired value, or one argv with `{value}`; the key `null` is for absence."""
    want: object = UNSET
    """Desired value; UNSET in a probe, None for absent."""
    form: str = "exact"
    """Normal form that decides equality, see host/normal.py."""
    runtime: bool = True
    """Gone after a reboot by itself."""
    coupled: tuple[str, ...] = ()
    """Kernel files that a write here changes too."""
    after: tuple[str, ...] = ()
    """Ids that have to be applied first."""
    secret: bool = False
    keep: bool = False
    """Stays when the run is over: not journalled, not restored."""
    action: bool = False
    """Written every time and never read: has an effect, not a state."""
    timeout_s: float | None = None
    """Of an `argv`, where the agent's usual half minute is too short."""
    reboot: bool = False
    """Not sent: in force only after a reboot, which was allowed."""
    needs_root: bool = True
    """Not sent: lets the plan name everything that needs root in one message."""
    observed: object = UNSET
    """Not sent: what the kind knows of the present value where the cell was not in the probe."""

    def to_json(self) -> Json:
        """Give the cell as the agent reads it."""
        fields: Json = {"id": self.id, "via": self.via}
        fields.update(self._place())
        if self.read:
            fields["read"] = list(self.read)
        if self.write is not None:
            fields["write"] = self.write
        if self.want is not UNSET:
            fields["want"] = self.want
        fields["form"] = self.form
        fields["runtime"] = self.runtime
        fields["coupled"] = list(self.coupled)
        fields["after"] = list(self.after)
        fields["secret"] = self.secret
        if self.timeout_s is not None:
            fields["timeout_s"] = self.timeout_s
        if self.keep:
            fields["keep"] = True
        if self.action:
            fields["action"] = True
        return fields

    def _place(self) -> Json:
        fields: Json = {}
        if self.path:
            fields["path"] = self.path
        if self.name:
            fields["name"] = self.name
        if self.attr:
            fields["attr"] = self.attr
        if self.parse:
            fields["parse"] = self.parse
        return fields

    def asking(self) -> "Cell":
        """Give the same address without a desired value, for a probe."""
        return replace(self, want=UNSET, observed=UNSET)

    @property
    def address(self) -> tuple[str, ...]:
        """What is read and written; two cells with one address must want the same."""
        if self.via == "argv":
            return (self.via, self.name, *self.read)
        return (self.via, self.path or self.name, self.attr)


@dataclass(frozen=True)
class Skipped:
    """The host has no such thing, and the experiment goes on without it."""

    why: str


@dataclass(frozen=True)
class Unknown:
    """Cannot be said before something else is known or done."""

    depends_on: str


@dataclass(frozen=True)
class Refused:
    """The host cannot be brought to this state; `fix` says exactly what to do."""

    why: str
    fix: str = ""


Planned: TypeAlias = list[Cell] | Skipped | Unknown | Refused


class Frozen(BaseModel):
    """Base of payload models: unchangeable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, defer_build=True)


Written = TypeVar("Written")


class Root(RootModel[Written], Generic[Written]):
    """Base of payload models that are one value: unchangeable, built when first used."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ResourceKind(Protocol):
    """One kind of resource, one file. `KIND` in the module is the instance."""

    name: str
    """Key under `system`."""
    doc: str
    """One line for the generated table."""
    absent: str
    """What happens where the host lacks it; for the table."""
    needs_root: bool
    Model: Any
    """Frozen pydantic model of the payload (a class)."""
    fixed: str
    """Why it cannot differ between treatments; empty where it can (see `fixed`)."""
    sets: tuple[str, ...]
    """Facts that it changes: names, or what they begin with where that ends in a dot."""

    def candidates(self, payload: Any) -> list[Json]:
        """Cells to read in the probe, without `want`, while no fact is known."""

    def plan(self, payload: Any, facts: Facts, values: Values) -> Planned:
        """Cells with desired values, or why there are none. Pure."""


@runtime_checkable
class OfFact(Protocol):
    """A kind that can say how what a host was found to have is declared."""

    def place(self, fact: str) -> tuple[str, ...] | None:
        """Give the keys of a spec that declare a fact; None where it is not one of this kind."""

    def of_fact(self, fact: str, value: PlainJson) -> PlainJson:
        """Write what was observed as it is declared there; None where it cannot be."""


SecretText = Annotated[SecretStr, BeforeValidator(from_written)]
"""A secret; a record writes it by its source, and reads it so."""


def reveal(value: str | int | SecretStr) -> tuple[str, bool]:
    """Give a value as text, and whether it is a secret."""
    if isinstance(value, SecretStr):
        return value.get_secret_value(), True
    return str(value), False


def no_switch(value: object, yes: str, no: str) -> object:
    """Refuse a YAML boolean where text is meant, with the fix.

    YAML 1.1 reads bare `on`, `off`, `yes` and `no` as booleans.
    """
    if isinstance(value, bool):
        text = yes if value else no
        raise ValueError(f'this is a YAML boolean, not text: write "{text}" in quotes')  # noqa: TRY004 - pydantic's word for a fault in the input
    return value
