"""The whole spec."""

import math
import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from runner.spec.base import NUMBER, Model, Text, Texts, fault, one_or_many
from runner.spec.claims import Claim
from runner.spec.design import Factor, FactorOf, Repeat, RepeatOf, Search, Skip
from runner.spec.health import Reference, RuleText
from runner.spec.load import Load
from runner.spec.metrics import MetricOf
from runner.spec.sections.abort import AbortRule
from runner.spec.sections.build import Build
from runner.spec.sections.faults import Fault
from runner.spec.sections.report import Report
from runner.spec.sections.requires import RequirementOf
from runner.spec.sections.workload import Workload
from runner.spec.system import System

SCHEMA = "experiment/1"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")

IDLE_S: Final = 5.0
"""For which a trial without load is watched after its latest metric."""


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or len(text) > 100:
        raise fault(
            "name", f"`{text}` cannot name a folder: use small letters, digits, `-`, `_` and `.`"
        )
    return text


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", text):
        raise fault("identifier", f"`{text}` is not a name: use letters, digits and `_`")
    return text


MAX_TREATMENTS = 10_000


def _matrix(factors: dict[str, Factor]) -> dict[str, Factor]:
    """Refuse a matrix that nobody could run, before it is written out."""
    cells = math.prod(len(factor.levels) for factor in factors.values())
    if cells > MAX_TREATMENTS:
        shown = f"{cells:.3g}" if cells < 10**300 else "more than 10^300"
        raise fault(
            "matrix",
            f"makes {shown} treatments; at most {MAX_TREATMENTS} are run: fewer factors or levels",
        )
    return factors


Identifier = Annotated[str, AfterValidator(_identifier)]


class Source(Model):
    """Where the published numbers are from."""

    title: Text = Field(description="Of the article, paper or page")
    url: Text | None = Field(None, description="Where it can be read")
    section: Text | None = Field(None, description="Part of it that is meant")
    authors: Texts = Field((), description="Who wrote it")
    doi: Text | None = Field(None, description="Its DOI, without https://doi.org/")
    read_on: date | None = Field(None, description="Day on which it was read, as 2026-01-31")
    note: Text | None = Field(None, description="What the reader should know of it")


class AnyOf(Model):
    """Some hosts of a group: the first ones that have every tag."""

    any: Text = Field(description="Group, host or pattern of the inventory")
    tags: Texts = Field((), description="Words that the inventory says of a host: [pi4, 4g]")
    count: Annotated[int, Field(ge=1), NUMBER] | None = Field(
        None, description="How many; all by default"
    )


class PerBoard(Model):
    """A load host of its own for each board."""

    per: Literal["board"] = Field(description="board: each board has a load host of its own")
    hosts: Texts = Field(
        (), description="In the order of the boards; left out, what the inventory says as `load`"
    )


class Hosts(Model):
    """Which hosts play which part; the load comes from the server itself by default."""

    server: Annotated[
        tuple[Text, ...],
        BeforeValidator(one_or_many, json_schema_input_type=str | list[str] | AnyOf),
        Field(min_length=1),
    ] = Field(
        ("local",),
        description="Boards that are measured: a host, a list, a group, or {any: lab, tags: [pi4]}",
    )
    load: Texts | PerBoard = Field(
        (), description="Hosts that the load comes from; else the board itself"
    )

    @field_validator("server", "load")
    @classmethod
    def _named(cls, names: "tuple[str, ...] | PerBoard") -> "tuple[str, ...] | PerBoard":
        told = names.hosts if isinstance(names, PerBoard) else names
        if not all(name.strip() for name in told):
            raise fault("host", "an empty text names no host")
        return names

    @property
    def loads(self) -> tuple[str, ...]:
        """Load hosts as they are named; none where the load comes from the server."""
        return self.load.hosts if isinstance(self.load, PerBoard) else self.load

    @property
    def paired(self) -> bool:
        """Whether each board has a load host of its own."""
        return isinstance(self.load, PerBoard)

    @property
    def load_hosts(self) -> tuple[str, ...]:
        """Hosts that the load comes from."""
        return self.loads or self.server[:1]

    @property
    def same(self) -> bool:
        """Whether load and workload share a host."""
        return not self.loads or self.loads == self.server

    def loads_of(self, board: str) -> tuple[str, ...]:
        """Give the hosts that the load of one board comes from; none: from itself."""
        if self.same:
            return ()
        return (self.loads[self.server.index(board)],) if self.paired else self.loads

    def names(self) -> tuple[str, ...]:
        """Every host once, servers first."""
        return tuple(dict.fromkeys((*self.server, *self.loads)))


class Sample(Model):
    """How often the sampler reads."""

    hz: Annotated[float, Field(gt=0, le=100), NUMBER] = Field(
        10.0, description="Readings per second of every sampled source"
    )


class Lint(Model):
    """Rules of `runner lint` that do not apply here, each with its reason."""

    ignore: dict[str, Annotated[Text, Field(min_length=1)]] = Field(
        {}, description="Rules by name, each with the reason why it does not apply"
    )
    only: Annotated[Text, Field(min_length=1)] | None = Field(
        None, description="Why the spec is to be read and linted, and never to be run"
    )


class Experiment(Model):
    """One experiment: state, build, workload, load, measurements, claims."""

    schema_version: Literal["experiment/1"] = Field("experiment/1", alias="schema")
    name: Annotated[Text, AfterValidator(_name)] = "experiment"
    title: Text = ""
    description: Text = ""
    source: Source | None = None
    vars: dict[str, object] = Field({}, description="Values for {{ name }}")
    hosts: Hosts = Hosts.model_construct()
    requires: dict[str, RequirementOf] = Field({})
    system: System = System.model_construct()
    build: Build | None = None
    workload: Workload | None = None
    load: Load | None = None
    healthy: tuple[RuleText, ...] = ()
    guards: tuple[RuleText, ...] = ()
    abort_when: tuple[AbortRule, ...] = ()
    faults: tuple[Fault, ...] = ()
    search: Search | None = None
    factors: Annotated[dict[Identifier, FactorOf], AfterValidator(_matrix)] = Field({})
    baseline: dict[str, Text] = Field({})
    skip: Annotated[
        tuple[Skip, ...],
        BeforeValidator(one_or_many, json_schema_input_type=Skip | list[Skip]),
    ] = ()
    treatments: tuple[dict[str, Text], ...] = Field(
        (), description="In place of the whole matrix: a level of every factor, each"
    )
    repeat: RepeatOf = Repeat.model_construct()
    sample: Sample = Sample.model_construct()
    metrics: dict[Identifier, MetricOf] = Field({})
    claims: tuple[Claim, ...] = ()
    report: Report = Report.model_construct()
    lint: Lint = Lint.model_construct()

    @property
    def blocks(self) -> tuple[int, int]:
        """Fewest and most blocks in all: `repeat.per_board` counts them on each server."""
        boards = len(self.hosts.server) if self.repeat.per_board is not None else 1
        return self.repeat.minimum * boards, self.repeat.maximum * boards

    @property
    def units(self) -> tuple[int, int]:
        """Fewest and most values of every treatment: blocks, or boots or layouts of several."""
        lasts = self.repeat.levels.lasts if self.repeat.levels is not None else 1
        low, high = self.blocks
        return -(-low // lasts), -(-high // lasts)

    @property
    def watched_s(self) -> float:
        """Seconds that a trial without load is watched at least: until the latest metric, and more.

        0 where the program ends by itself and no metric waits: there is nothing to watch before.
        """
        latest = [metric.after.seconds for metric in self.metrics.values() if metric.after]
        if not latest and (self.workload is None or self.workload.once):
            return 0.0
        return max(latest, default=0.0) + IDLE_S

    @property
    def families(self) -> frozenset[str]:
        """Sources that metrics, rules and figures name: `procfs`, `perf`."""
        named = [text for m in self.metrics.values() for text in (m.source, m.as_) if text]
        for rule in (*self.healthy, *self.guards, *self.abort_when):
            named.append(rule.subject)
            if isinstance(rule.value, Reference):
                named.append(rule.value.name)
        named += [name for figure in self.report.figures for name in figure.show]
        return frozenset(name.partition(".")[0] for name in named)
