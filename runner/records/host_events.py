"""Events of a host that is asked, changed and put back; see the contract for what causes them."""

from __future__ import annotations

from typing import Literal

import msgspec

from runner.records.cells import PortsTried
from runner.records.event import Event, Fault
from runner.records.outcome import FAILED, TOUCHED, CellOutcome
from runner.records.plain import Json


class NeedAgent(Event, frozen=True):
    """The host has not got this version of the agent."""

    have: int = 0
    """Bytes of it that are there already: an upload goes on where it was cut."""


class NeedBlob(Event, frozen=True):
    """The host has not got these bytes."""

    sha256: str
    size: int


class Blob(Event, frozen=True):
    """Bytes are on the host, by content."""

    sha256: str
    path: str
    sent: bool
    """False where they were there before."""


class End(Event, frozen=True):
    """The last line of every program; a stream without it was cut."""

    ok: bool
    error: Fault | None = None


class FactsRead(Event, frozen=True, tag="facts"):
    """All facts of the host, by dotted name; an absent one is null, with its reason in `absent`."""

    facts: dict[str, Json]


class Value(Event, frozen=True):
    """What one cell holds; `error` says why it could not be read."""

    id: str
    value: Json = None
    error: str | None = None


class Hold(msgspec.Struct, frozen=True):
    """Which run holds a host."""

    run: str
    since: float
    """Unix seconds, like `seen`: when it was last heard of."""
    seen: float
    controller: str | None = None
    """`host:pid` of who started it."""
    lease_s: float | None = None
    pid: int | None = None
    kept: bool = False
    """The declared state stays, and nobody holds the host."""
    uid: int | None = None
    """Of a hold that another state folder of the host has: whose it is, and which folder."""
    state: str | None = None
    job: int | None = None
    """The job of a queue that holds it."""


class JournalSaid(msgspec.Struct, frozen=True):
    """How much the host has to put back."""

    entries: int = 0
    runs: tuple[str, ...] = ()
    damaged: tuple[int, ...] = ()
    """Lines that cannot be read."""


class HostSaid(Event, frozen=True, tag="host"):
    """Whether the host is free, what it has to put back, and whether the agent is root."""

    busy: Hold | None = None
    journal: JournalSaid = JournalSaid()
    root: bool = False
    ports: PortsTried | None = None
    """Where a program asks for it: how many of a client's ports are taken."""


class Result(Event, frozen=True):
    """One cell of `converge` or `restore`, or of a trial's own namespace."""

    id: str
    outcome: CellOutcome
    before: Json = None
    after: Json = None
    why: str | None = None
    undone: bool = False
    """It was put back before the cells of the program: an earlier treatment had set it."""

    @property
    def failed(self) -> bool:
        """Whether the cell is not what the program asked for."""
        return self.outcome in FAILED

    @property
    def changed(self) -> bool:
        """Whether the host was changed, or would be."""
        return self.outcome in TOUCHED


class TrialSaid(msgspec.Struct, frozen=True):
    """A trial that the host has a spool of."""

    run: str
    trial: str
    running: bool
    bytes: int
    last: str | None = None
    """Kind of its last event, and when it was."""
    at: float | None = None


class Status(Event, frozen=True):
    """Hold, journal and trials of a host."""

    hold: Hold | None = None
    alive: bool = False
    """Whether the hold still counts."""
    journal: JournalSaid = JournalSaid()
    trials: tuple[TrialSaid, ...] = ()


class Applied(Event, frozen=True):
    """One address of the journal against the host; `at` is when it was changed."""

    id: str
    run: str
    state: Literal["applied", "drifted", "back", "unfinished", "rebooted", "unreadable"]
    prior: Json = None
    ours: Json = None
    now: Json = None
    why: str | None = None


class Rebooting(Event, frozen=True):
    """The host goes down; `boot_id` is the boot that ends."""

    boot_id: str


class Forgotten(Event, frozen=True):
    """The folder of a run is gone from the host."""

    run: str


class Stopped(Event, frozen=True):
    """A trial was asked to end."""

    trial: str
    was_running: bool


class LeaseEnded(Event, frozen=True):
    """Nobody was heard of for the length of the lease: the host restores by itself."""

    run: str
