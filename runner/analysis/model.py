"""What the analysis says of a run; `analysis.json` is this, key by key.

Every class is plain data: `dataclasses.asdict` gives the JSON, and the report
is rendered from nothing else. Numbers are in base units (s, bytes, 1/s); a
metric's own `unit` says how it is shown. `None` is never a zero: a `why` stands
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.records.outcome import Outcome, Verdict


@dataclass(frozen=True)
class RuleResult:
    """One health rule or guard, with what was seen."""

    rule: str
    held: bool | None
    actual: str
    """What was seen, in its unit."""
    why: str = ""
    wanted: str = ""
    """What it was compared with, in its unit, where the rule names another number."""

    @property
    def seen(self) -> str:
        """Say both sides: `80 connections, against 84 connections: two were refused`."""
        against = f", against {self.wanted}" if self.wanted else ""
        return f"{self.actual}{against}{f': {self.why}' if self.why else ''}"


@dataclass(frozen=True)
class Step:
    """One constant-load interval of a trial."""

    index: int
    name: str
    connections: int | None
    start_s: float
    end_s: float
    outcome: Outcome
    rules: tuple[RuleResult, ...] = ()
    numbers: dict[str, float | int | str | None] = field(default_factory=dict)
    """`load.rps`, `load.latency_p99`, `load.established`, `load.errors.connect`,
    `cgroup.peak`, `cgroup.oom_kills`, `procfs.rss` (maximum in the step), …"""
    why: dict[str, str] = field(default_factory=dict)
    """Reason of each `None` in `numbers`."""
    atlas: dict[str, object] | None = None
    """The memory atlas where a heap dump was fetched, see `runner.analysis.trial.atlas`."""
    unguarded: tuple[RuleResult, ...] = ()
    """Guards whose subject was not seen: this step was not guarded by them."""
    steady: tuple[str, ...] | None = None
    """What was not in a steady state, see `runner.analysis.trial.steady`; None: not judged."""


@dataclass(frozen=True)
class Trial:
    """One execution of a treatment."""

    id: str
    host: str
    treatment: dict[str, str]
    repetition: int
    attempt: int
    outcome: Outcome
    why: str
    started_at: float
    steps: tuple[Step, ...] = ()
    guards: tuple[RuleResult, ...] = ()
    sampler: dict[str, float | int] = field(default_factory=dict)
    """What watching cost: `ticks`, `missed`, `cpu_s`, `max_rss_bytes`, …"""
    limit_bytes: int | None = None
    kept_from: str = ""
    """The trial whose workload went on in this one; empty where it had one of its own."""
    boot: str = ""
    """Of the host; empty where it was not told apart."""
    build: str = ""
    """Which of several builds of the same program ran; empty where there was one."""
    session: str = ""
    """Which uninterrupted hold of the host; empty where there was one."""

    @property
    def planned(self) -> str:
        """Its id without the attempt: attempts at one planned trial share it."""
        return planned_of(self.id)


def planned_of(trial: str) -> str:
    """Give a trial's id without the attempt."""
    return trial.rpartition("-a")[0]


@dataclass(frozen=True)
class Repetition:
    """Which unit a value is of: what two values have to share to be a pair.

    A level that was not told apart is empty; `repetition` counts within the others.
    """

    repetition: int
    board: str = ""
    boot: str = ""
    build: str = ""
    session: str = ""
    started_at: float = 0.0
    """When its first trial began, in seconds; 0 where that is unknown."""
    censored: str = ""
    """`above` or `below`: its value is only a bound, or, without a value, it lies beyond all
    others; `unknown`: a valid unit whose value could be anything; empty: known as it is."""

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """Board, boot, build, session and repetition: the block."""
        return self.board, self.boot, self.build, self.session, self.repetition


@dataclass(frozen=True)
class Estimate:
    """A metric in one cell (treatment × step)."""

    metric: str
    unit: str
    """In which it is shown; the numbers are in base units. Empty for a plain number."""
    treatment: dict[str, str]
    step: str | None
    values: tuple[float | None, ...]
    """One per repetition: the unit of replication."""
    n: int
    median: float | None
    interval: tuple[float, float] | None
    level: float | None
    """Confidence that the interval really has (order statistics give fixed steps)."""
    why: str = ""
    """Why values are missing."""
    repetitions: tuple[Repetition, ...] = ()
    """Which repetition each of `values` is of, in the same order."""
    exact: bool = False
    """The same in every repetition, and declared to be: nothing is left to chance."""
    texts: tuple[str | None, ...] = ()
    """Of an identity, such as a build id: one per repetition; `values` are None then."""
    resolution: float | None = None
    """Smallest step of what is printed, in base units; None where nobody said one."""

    @property
    def one_text(self) -> bool:
        """Whether all repetitions gave the same text."""
        return len(set(self.texts)) == 1 and None not in self.texts

    @property
    def text(self) -> str:
        """The one text that all repetitions gave, or how many there were; empty for numbers."""
        told = {text for text in self.texts if text is not None}
        if not told:
            return ""
        return next(iter(told)) if len(told) == 1 else f"{len(told)} different values"


@dataclass(frozen=True)
class Spread:
    """What one level of replication is worth to a metric in a cell; in base units."""

    metric: str
    unit: str
    treatment: dict[str, str]
    step: str | None
    level: str
    """`boot`, `layout`, `repetition`; of levels that varied only together `boot and layout`."""
    units: int
    """How many of them there were."""
    spread: float
    """Standard deviation."""
    interval: tuple[float, float] | None
    """At 90 %."""
    median: float | None = None
    """Of all values: what the spread is a share of."""


@dataclass(frozen=True)
class ClaimResult:
    """A published number and what the data says of it."""

    id: str
    section: str
    quote: str
    published: str
    verdict: Verdict
    reason: str
    estimate: float | None = None
    unit: str = ""
    interval: tuple[float, float] | None = None
    n: int = 0
    values: tuple[float, ...] = ()
    region: tuple[float | None, float | None] | None = None
    facts: tuple[tuple[str, str, str, bool | None], ...] = ()
    """(fact, declared, observed, equal) for each `must` fact."""
    trials: tuple[str, ...] = ()
    required: bool = True
    of: str = ""
    """What the estimate is, where it is not the published quantity: of `a < b`, a - b."""
    level: float | None = None
    """Confidence that the interval really has."""
    run_order: str = ""
    """What the order of measuring has to do with the values, or what would have been found;
    `values` are in that order. Empty where nothing was looked for."""


@dataclass(frozen=True)
class Series:
    """A line of a figure: one column over time of one trial."""

    trial: str
    name: str
    unit: str
    t: tuple[float, ...]
    v: tuple[float | None, ...]


class SearchRow(TypedDict, total=False):
    """One search, as analysis.json has it; keys are those of `records.manifest.SearchRun`."""

    repetition: int
    treatment: dict[str, str]
    level: int | None
    last_passing: int | None
    first_failing: int | None
    table: Sequence[tuple[int, int, int]]
    trials: int
    at_bound: str
    why: str
    ended: str
    interval: Sequence[float] | None
    fitted: Mapping[str, float] | None


class LevelRow(TypedDict):
    """How often a level was healthy, over all searches."""

    level: float
    passes: int
    trials: int


class SearchShown(TypedDict, total=False):
    """What is shown of the searches of a run; older records lack some of it."""

    what: str
    unit: str
    half: float | None
    interval: Sequence[float] | None
    monotone: bool
    searches: Sequence[SearchRow]
    levels: Sequence[LevelRow]
    curve: Sequence[Sequence[float]]
    notes: Sequence[str]
    runs: Sequence[SearchRow]
    result: str


@dataclass(frozen=True)
class Analysis:
    """Everything a report needs beside the manifest, the facts and the changes."""

    trials: tuple[Trial, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    series: tuple[Series, ...] = ()
    search: SearchShown | None = None
    notes: tuple[str, ...] = ()
    spreads: tuple[Spread, ...] = ()
    """Of levels of replication, where more than repetitions varied."""
