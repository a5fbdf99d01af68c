"""run.json: what made a run, what it planned, and where its parts are.

`run/1` is always read, by the same reader: what it lacks is empty. In `run/2` trials carry
the boot, the machine and the session that they ran in.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from runner.records.builds import Built, LaidOut
from runner.records.plain import Json
from runner.records.steps import StepPlan

SCHEMA: Final = "run/2"
READ: Final = ("run/1", SCHEMA)

TRIED: Final = "search.tried"
"""Number of a trial: the level of a search that varies no number of the load."""
State = Literal["running", "done", "failed", "interrupted"]


class SpecFile(msgspec.Struct, frozen=True):
    """The file that was run."""

    path: str = ""
    """From the repository's root."""
    sha256: str = ""
    committed: bool | None = None
    """Whether the file at HEAD was the very text; None: not in git."""


class Git(msgspec.Struct, frozen=True):
    """Where the repository stood; None with `why` where it cannot be said."""

    commit: str | None = None
    dirty: bool | None = None
    changed: tuple[str, ...] = ()
    why: str = ""


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool of the controller, and the version that it says."""

    version: str | None = None
    argv: tuple[str, ...] = ()
    why: str = ""


class LoadHost(msgspec.Struct, frozen=True):
    """A host that the load came from, and its own trial."""

    host: str
    id: str
    steps: tuple[StepPlan, ...] = ()


class Planned(msgspec.Struct, frozen=True):
    """A trial as it was planned, before it began."""

    host: str
    treatment: dict[str, str]
    repetition: int
    attempt: int
    steps: tuple[StepPlan, ...] = ()
    connections: int | None = None
    """The level of a search."""
    loads: tuple[LoadHost, ...] = ()
    extra: dict[str, int | float | str | bool] = {}
    """Numbers known without the host: size and id of the build."""
    boot: str = ""
    boot_of_block: str = ""
    """Which boot of the run its block has, from 1, where blocks are booted anew. A treatment with
    a kernel command line of its own is booted within it: it has the number, and another `boot`."""
    machine: str = ""
    """A short name of its CPUs, board, kernel and userland (`records.facts`)."""
    session: str = ""
    """Which uninterrupted hold of the hosts, from 1."""
    build: str = ""
    """Its layout, where there are several (`layouts`)."""


class Times(msgspec.Struct, frozen=True):
    """What facts of a host were otherwise at other times than during the trials (facts.json)."""

    before: dict[str, Json] = {}
    """As found."""
    treatments: dict[str, dict[str, Json]] = {}
    """With a treatment's state in force, by its id."""
    after: dict[str, Json] | None = None
    """What differs from `before` once everything was put back; None until then."""


class Moved(msgspec.Struct, frozen=True):
    """A block that its board did not finish, and where it was run anew."""

    block: int
    number: int
    """The repetition that its trials carry there."""
    from_board: str
    to_board: str
    why: str = ""


class LeftOut(msgspec.Struct, frozen=True):
    """A board that the run went on without."""

    when: str
    """What was done with it when it failed: `probed`, `converged`, `in trials`, …"""
    why: str = ""
    code: int = 2
    """The exit code that its fault stands for: 4 where it is unreachable, 5 where it is busy."""


class PowerCycle(msgspec.Struct, frozen=True):
    """A board that was gone, or started anew, and what was done about it."""

    board: str
    at: float
    """Unix seconds."""
    why: str
    """What was seen of it."""
    argv: tuple[str, ...] = ()
    """The inventory's command that was run; empty where the board had booted by itself."""
    boot_before: str = ""
    boot_after: str = ""
    restored: int = 0
    """Values that its journal put back in the new boot."""
    failed: str = ""
    """Why it was not brought back; empty where it was."""


class Order(msgspec.Struct, frozen=True):
    """In which order the trials run, drawn before the first."""

    by: str = ""
    seed: int | None = None
    slots: tuple[tuple[int, dict[str, str]], ...] = ()
    """Repetition and treatment."""
    boards: dict[str, str] = {}
    """By the block's number, where there are several boards."""
    moved: tuple[Moved, ...] = ()


class Fitted(msgspec.Struct, frozen=True):
    """The curve through the trials of one search, see `planning.search_fit`."""

    half: float
    low: float
    high: float
    scale: float
    lapse: float
    rising: bool = False


class SearchRun(msgspec.Struct, frozen=True):
    """One search: one unit of replication."""

    repetition: int
    treatment: dict[str, str]
    level: int | None = None
    last_passing: int | None = None
    first_failing: int | None = None
    table: tuple[tuple[int, int, int], ...] = ()
    """Level, healthy trials, trials."""
    trials: int = 0
    at_bound: str = ""
    monotone: bool = True
    inversions: tuple[tuple[int, int], ...] = ()
    fitted: Fitted | None = None
    why: str = ""
    dips: tuple[int, ...] = ()
    """Levels below the one found that failed when they were tried after it."""
    effects: tuple[str, ...] = ()
    """What health depended on beside the level."""
    sequence: tuple[tuple[int, bool], ...] = ()
    p_healthy: float | None = None
    """The level where P(healthy) = 1/2."""
    workload: str = "fresh"
    workloads: int | None = None
    """How many workloads its trials had."""
    session: str = ""
    """The run that it is of, where several are pooled."""

    def number(self, name: str) -> float | None:
        """Give what `from: search.NAME` asks for; None where the search found none."""
        value = getattr(self, name, None)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Searches(msgspec.Struct, frozen=True):
    """All searches of a run, and what they vary."""

    what: str = "connections"
    runs: tuple[SearchRun, ...] = ()
    unit: str = "1"
    """Of levels: `B` where they are sizes."""


class Commit(msgspec.Struct, frozen=True):
    """A commit of the program's repository."""

    hash: str
    subject: str = ""


class Bisected(msgspec.Struct, frozen=True):
    """The search for the commit that made a metric worse."""

    metric: str
    commits: tuple[Commit, ...]
    """The good one first, the bad one last."""
    sequence: tuple[tuple[int, float], ...] = ()
    """Place of the commit and value in base units, in the order of measuring."""
    skipped: dict[str, str] = {}
    """By the commit's place, why it could not be measured."""
    first: int | None = None
    """Places of the earliest and the latest commit that it may be; None as long as it goes on."""
    last: int | None = None
    confidence: float | None = None
    why: str = ""


class EventsFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trial's events, and whether git has them; `why` samples of a long one are JSON."""

    file: str
    bytes: int
    sha256: str
    committed: bool
    why: str = ""


class Kept(msgspec.Struct, frozen=True):
    """The rule by which events are in git."""

    rule: str = ""
    limit_bytes: int = 0
    reserve_bytes: int = 0


class Resumed(msgspec.Struct, frozen=True):
    """How the run had ended before it was gone on with, and when that was."""

    state: str | None = None
    ended_at: float | None = None
    why: str | None = None
    at: float = 0.0


class JudgedWith(msgspec.Struct, frozen=True):
    """The spec whose claims the run is judged with, where it is not the one that was run."""

    sha256: str = ""
    claims_hash: str = ""
    changed: tuple[str, ...] = ()
    claims: Json = None
    metrics: Json = None
    units: str = ""
    report: Json = None

    def instead(self) -> dict[str, Json]:
        """Give the sections that stand in for those of the spec that was run."""
        both = {"claims": self.claims, "metrics": self.metrics, "report": self.report}
        return {name: value for name, value in both.items() if value is not None}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All of run.json."""

    schema: str = SCHEMA
    id: str = ""
    experiment: str = ""
    state: State = "running"
    started_at: float | None = None
    """Unix seconds."""
    ended_at: float | None = None
    why: str | None = ""
    """Why it did not end as `done`."""
    spec: SpecFile = SpecFile()
    git: Git = Git()
    tools: dict[str, Tool] = {}
    spec_hash: str = ""
    """Of the whole spec; `run_hash` of what decides the trials, `claims_hash` of the claims."""
    run_hash: str = ""
    claims_hash: str = ""
    units: str = ""
    """`printed` where `unit` of a metric is what its program prints; else it is for show."""
    command: tuple[str, ...] = ()
    hosts: dict[str, str] = {}
    """The way to each host."""
    builds: dict[str, Built] = {}
    """By treatment."""
    layouts: dict[str, LaidOut] = {}
    """By their number, where blocks have a fresh one (`repeat.levels`)."""
    generators: dict[str, Built] = {}
    """Load generators that runner built."""
    order: Order | None = None
    trials: dict[str, Planned] = {}
    search: Searches | None = None
    shares: dict[str, str] = {}
    """Of a run that jobs of a queue made together: the run of each, and its board."""
    bisect: Bisected | None = None
    left_out: dict[str, LeftOut] = {}
    """Boards that the run went on without, by their names."""
    power: tuple[PowerCycle, ...] = ()
    """Boards that died, or were started anew, in the order of their deaths."""
    stopped: str | None = None
    """Why the stop rule ended the run."""
    resumed: tuple[Resumed, ...] = ()
    recap: dict[str, dict[str, int]] = {}
    kept: Kept | None = None
    events: dict[str, EventsFile] = {}
    judged_with: JudgedWith | None = None
    environment: dict[str, Times] | None = None
    """By host; None in records from before facts had a time."""
    log: str = ""
    """The file of `Written` lines beside run.json, while the run goes on."""


class Written(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log: a key of run.json, or one entry of its table, as it is from here on."""

    key: str
    value: Json = None
    entry: str | None = None


class ManifestError(ValueError):
    """What is not a run.json, and why."""


def manifest_of(data: object) -> Manifest:
    """Read run.json as JSON data; ManifestError where it does not have its form."""
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema not in READ:
        raise ManifestError(f"no manifest of schema {' or '.join(READ)}")
    try:
        return msgspec.convert(data, Manifest)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ManifestError(f"no manifest of schema {schema}: {error}") from None


def plain(value: object) -> Json:
    """Give what is written for a part of a manifest."""
    data: Json = msgspec.to_builtins(value)
    return data
