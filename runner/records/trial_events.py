"""Events of a trial, in the order in which a trial has them; its spool is lines of these."""

from __future__ import annotations

from typing import Literal

import msgspec

from runner.records.event import Event
from runner.records.plain import Json

Counters = dict[str, int | float | None]
"""Counters by column (`cgroup.usage`, `sockets.time_wait`, …), as they stood at one time."""


class TrialStarted(Event, frozen=True):
    """The first event; `monotonic` is the clock that `t` counts from."""

    monotonic: float = 0.0


class Waited(Event, frozen=True):
    """What a pause waited for, and what was seen last; null where it cannot be measured."""

    after_s: float = 0.0
    drained: bool = True
    """Whether it came below its bound in time."""
    time_wait: float | None = None
    temperature: float | None = None
    load: float | None = None
    absent: tuple[str, ...] = ()


class Settled(Waited, frozen=True):
    """The pause before the trial is over."""


class Cooled(Waited, frozen=True, kw_only=True):
    """The pause after a step is over."""

    index: int


class WorkloadStarted(Event, frozen=True):
    """The workload was started, or one that was kept goes on."""

    pid: int
    port: int | None = None
    binary_sha256: str | None = None
    cgroup: str | None = None
    kept_from: str | None = None
    """The trial that it was kept from."""
    up_s: float = 0.0
    """How long it is up by then, and how many characters it printed that are in no record."""
    unheard: int = 0


class WorkloadLost(Event, frozen=True):
    """A workload that was kept does not answer any more."""

    after: str | None = None
    why: str = ""


class Prepared(Event, frozen=True):
    """One of `workload.prepare` was done, by its index; it took its own time."""

    index: int
    when: str = "before"
    what: str = ""
    """The command as it was run, or the action."""
    wall_s: float = 0.0
    cpu_s: float | None = None
    """Of a command and the children that it waited for."""


class Ready(Event, frozen=True):
    """The workload answers."""

    after_s: float


class Listener(Event, frozen=True):
    """Whose the port is: the workload's, or that of the process `pid`."""

    pid: int | None = None
    ours: bool = False


class PortTaken(Event, frozen=True):
    """A port that was chosen as free was somebody else's by then; the workload gets another."""

    port: int | None = None
    why: str = ""


class Columns(Event, frozen=True):
    """Names of the values of every sample from here on."""

    names: tuple[str, ...]


class Sample(Event, frozen=True):
    """One tick: a value per column, null where it could not be read."""

    t: float
    v: list[int | float | None]


class Absent(Event, frozen=True):
    """A read or a column that this host has not got."""

    id: str
    reason: str


class Output(Event, frozen=True):
    """What the workload printed; `skipped` characters before it were left out."""

    stream: Literal["stdout", "stderr"]
    text: str
    skipped: int = 0


class IdleStarted(Event, frozen=True):
    """A workload without load is watched from here on."""


class IdleEnded(Event, frozen=True):
    """Counters at both ends of the idle time."""

    at_start: Counters | None = None
    at_end: Counters | None = None


class LoadAt(Event, frozen=True):
    """When load hosts begin, in unix seconds of this host's clock."""

    unix: float


class StepStarted(Event, frozen=True):
    """A step of the load begins, with its warm-up."""

    index: int
    name: str | None = None
    nofile: int | None = None
    cpus: int | None = None
    """CPUs that the generator may use."""
    late_s: float | None = None
    """On a load host: how late after the common start."""


class MeasureStarted(Event, frozen=True):
    """The warm-up of a step is over."""

    index: int


class RequestLog(msgspec.Struct, frozen=True):
    """A generator's log of single requests, summed up; `why` where there is none."""

    rows: int = 0
    bad: int = 0
    statuses: dict[str, int] = {}
    sum_us: int = 0
    min_us: int | None = None
    max_us: int | None = None
    per_s: list[int] | None = None
    """Requests begun in each second."""
    histogram: str = ""
    """Base64 of deflated JSON [[µs, requests], …]."""
    why: str | None = None


class StepEnded(Event, frozen=True):
    """A step of the load is over: what its generator said, and counters at both ends."""

    index: int
    exit: int | None = None
    stdout: str = ""
    stderr: str = ""
    warmup_exit: int | None = None
    warmup_wall_s: float | None = None
    at_start: Counters | None = None
    at_end: Counters | None = None
    wall_s: float | None = None
    max_established: int | None = None
    waiting: int | None = None
    """Connections without an answer for longer than the timeout, just before the end."""
    timed_out: bool = False
    signal: int | None = None
    cpu_s: float | None = None
    generator_max_rss_bytes: int | None = None
    log: RequestLog | None = None
    cut: str = ""
    """Why the step was cut short."""
    dropped: int = 0
    """Bytes in the middle of what the generator printed that were left out."""


class Drifted(msgspec.Struct, frozen=True):
    """A cell that is no longer as it was set."""

    id: str
    kept: Json = None
    now: Json = None


class StateChecked(Event, frozen=True):
    """The applied state was looked at after a step."""

    index: int | None = None
    cells: int = 0
    drifted: tuple[Drifted, ...] = ()
    unchecked: tuple[str, ...] = ()


class FaultEvent(Event, frozen=True):
    """One of the spec's `faults`, by its index."""

    index: int
    kind_of_fault: str = msgspec.field(name="kind", default="")
    why: str | None = None


class FaultStarted(FaultEvent, frozen=True):
    """It was done."""


class FaultEnded(FaultEvent, frozen=True):
    """It was undone."""


class FaultSkipped(FaultEvent, frozen=True):
    """This host cannot do it."""


class FetchedPart(Event, frozen=True):
    """Bytes of a page that comes after its parts: together one zlib stream."""

    name: str
    part: int
    zlib_b64: str
    step: int | None = None


class Fetched(Event, frozen=True):
    """A page or file: as text, in base64, or in the parts before it."""

    name: str
    step: int | None = None
    began: float | None = None
    status: int | msgspec.UnsetType | None = msgspec.UNSET
    """Of HTTP; null of a file, or of an answer that never came."""
    why: str | None = None
    text: str | None = None
    bytes_b64: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    parts: int | None = None


class Traced(Event, frozen=True):
    """The table of system calls that strace printed."""

    calls: tuple[str, ...] = ()
    text: str | None = None
    why: str | None = None


class WorkloadExited(Event, frozen=True):
    """How the workload ended: by itself with `code`, or by `signal`."""

    pid: int | None = None
    code: int | None = None
    signal: int | None = None
    oom_killed: bool = False
    oom_kills: int | None = None
    """Kills in its group; null without one."""
    expected: bool = False
    left: tuple[int, ...] = ()
    """Processes that it left running."""
    said: str = ""
    """The first and last lines of what it printed, where its end was not asked for."""
    cpu_s: float | None = None
    user_s: float | None = None
    """CPU time, as `cpu_s` and all below of the workload and of the children it waited for."""
    system_s: float | None = None
    wall_s: float | None = None
    """From right before its exec until it was collected."""
    max_rss_bytes: int | None = None
    """Of its largest process; never below `floor_bytes`, which the agent had before exec."""
    floor_bytes: int | None = None
    faults: tuple[int, ...] = ()
    """Minor and major page faults."""
    switches: tuple[int, ...] = ()
    """Voluntary and involuntary context switches."""
    out_of_cpu: bool = False
    """Ended by the kernel at its limit of CPU time."""


class CgroupLeft(Event, frozen=True):
    """Groups that could not be removed, and why."""

    why: tuple[str, ...]


class Aborted(Event, frozen=True):
    """The trial was ended on the workload's side: it died, or was not ready in time."""

    why: str = ""
    timed_out: bool = False
    """A program that was to end by itself has not, within its time."""
    limit_s: float | None = None
    """That time, where running out of it was declared to be a result."""


class Failed(Event, frozen=True, tag="error"):
    """The trial could not be run."""

    code: str = "internal"
    message: str = ""
    fix: str = ""


class Sampler(Event, frozen=True):
    """What watching has cost."""

    hz: float | None = None
    ticks: int = 0
    missed: int = 0
    late_max_s: float | None = None
    cpu_s: float | None = None
    sampling_cpu_s: float | None = None
    max_rss_bytes: int | None = None
