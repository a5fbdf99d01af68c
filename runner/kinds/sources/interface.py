"""What every metric source is to the rest: what to read, and what it means.

A *sampled* source (`Source`, a file's KIND) says which files the sampler reads and what
their columns are. A *parsed* one (`Parser`, a file's PARSER) makes numbers of what a
program printed, or of what its URLs answered. Both are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

from runner.records import program
from runner.records.steps import Asked

Read: TypeAlias = program.Read
"""A sampler read as docs/design/001-contracts.md has it: id, path, hz, pick."""

Needs: TypeAlias = Mapping[str, tuple[str, ...]]
"""What a spec has to have for a quantity to exist, by its short name, "" for all others.

A section's word (workload, cgroup, fetch, build, load, port, prepare, faults); `pages`: pages or
JSON on stdout; any other text has to be said by the workload or the load (`gctrace=`).
"""
SECTIONS: Final = frozenset((
    "workload", "load", "cgroup", "fetch", "build", "port", "prepare", "faults", "command",
))  # fmt: skip
"""Words of `Needs` that the spec itself has or has not; a program is to print the others."""
NOTHING: Final[Needs] = MappingProxyType({})
OF_WORKLOAD: Final[Needs] = MappingProxyType({"": ("workload",)})
OF_CGROUP: Final[Needs] = MappingProxyType({"": ("cgroup",)})
OF_FETCH: Final[Needs] = MappingProxyType({"": ("fetch",)})
OF_PAGES: Final[Needs] = MappingProxyType({"": ("workload", "pages")})
OF_BUILD: Final[Needs] = MappingProxyType({"": ("build",)})

Number = float | int | str | None
"""A measured value in base units; None with a reason beside it."""


@dataclass(frozen=True)
class Field:
    """One quantity of a source, such as `procfs.rss` or `cgroup.peak`."""

    column: str
    """Column of the sample stream, `<read id>.<picked name>`."""
    unit: str
    """Unit whose base unit the scaled values are in: B, s, 1, Hz, °C, %."""
    doc: str
    scale: float = 1.0
    kind: Literal["gauge", "counter"] = "gauge"
    """A counter is reported as its increase over the step."""
    empty: str = ""
    """What samples without a number say, where that is not a failure: there is no limit."""


class Source(Protocol):
    """One kind of metric source that the sampler reads."""

    name: str
    derived: Mapping[str, str]
    """Unit of each quantity that the analysis makes of the fields, such as `host.cpu`."""
    on_demand: bool
    """Read only where a spec names the family: it costs more than the others."""
    needs: Needs

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Files to read on a host with these facts; a missing file is said by the agent."""

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Quantities by their short name (`rss`)."""


@dataclass(frozen=True)
class Page:
    """One answer of a URL, or one file, that a trial fetched."""

    name: str
    text: str | None
    data: bytes | None = None
    """What is not UTF-8, such as a profile; `text` is None then."""
    why: str = ""
    """Why there is nothing, or only a part."""
    file: bool = False
    """Of the host, as `/proc/PID/status`: no answer of the workload."""


@dataclass(frozen=True)
class Printed:
    """What a workload printed and answered, as one step sees it.

    `stdout` and `stderr` are the whole trial's: a program run once speaks at its end.
    """

    stdout: str = ""
    stderr: str = ""
    pages: tuple[Page, ...] = ()
    """Newest last: those of this step, and those that belong to no step."""
    span_s: tuple[float, float] = (0.0, float("inf"))
    """Begin and end of the step, in seconds since the workload's start."""
    stderr_within: str = ""
    """What came on stderr within the step, to about a second."""
    patterns: tuple[tuple[str, str], ...] = ()
    """(`stdout.regex`, regular expression): what the spec's metrics look for."""
    asked: tuple[str, ...] = ()
    """Numbers that the spec names: of an open family nothing else is read."""
    traced: tuple[str, ...] = ()
    """System calls that strace counted, or `all`; `counts` is its table."""
    counts: str = ""
    many: tuple[Asked, ...] = ()
    """Numbers that are made of many: of every match, item or row."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Characters in the middle of a stream that its host did not keep."""
    left_out_within: int = 0
    """Those of stderr that came within the step, or cannot be told from it."""


def only_a_part(stream: str, characters: int) -> str:
    """Say why what is counted over a whole stream has no number."""
    return f"only a part of {stream} is kept: {characters} characters in its middle were left out"


LARGEST: Final = 1e75
"""No quantity is larger, and the fourth power that some tests of trend take still is a number."""


@dataclass
class Found:
    """Numbers by their full name (`gctrace.count`), and why some are None."""

    numbers: dict[str, Number] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    """By a number's name, or by the family where it has none at all."""
    series: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = field(default_factory=dict)
    """Of a number that is printed over time: seconds by its own clock, and the values."""

    def put(self, name: str, value: float | str) -> None:
        """Give a number or a text; NaN, an infinity or one beyond LARGEST does not exist."""
        if isinstance(value, str) or abs(value) <= LARGEST:
            self.numbers[name] = value
            self.why.pop(name, None)
        else:
            shown = str(value) if isinstance(value, float) else "a number of very many digits"
            beyond = f", beyond {LARGEST:g}" if abs(value) > LARGEST else ""
            self.absent(name, f"the program says {shown}{beyond}: the quantity does not exist")

    def absent(self, name: str, why: str) -> None:
        """Say that a quantity does not exist, with the reason; never 0."""
        self.numbers[name], self.why[name] = None, why


class Closed:
    """A parser of a family whose names are all in `known`."""

    open: tuple[str, ...] = ()

    def unit(self, name: str) -> str | None:
        """None: there are no other names."""
        del name
        return None


class Parser(Protocol):
    """One kind of text or bytes that numbers are made of.

    One with `at_end = True` is of what a program prints as it ends: of one that ran out of its
    `timeout` a missing number is then a bound.
    """

    name: str
    """The family: what stands before the first dot."""
    doc: str
    known: Mapping[str, str]
    """Unit of each name that it always or usually has, without the family; empty where none."""
    open: tuple[str, ...]
    """What further names begin with, about which what was printed decides: "" any, none no name."""
    needs: Needs

    def unit(self, name: str) -> str | None:
        """Give the unit of another name, where the format itself has one; else None."""

    def parse(self, printed: Printed) -> Found:
        """Numbers of one step; nothing where nothing of its kind was printed."""
