"""What is sent to a host: finished when it is compiled, and changed by nobody afterwards.

The agent reads the same shapes, and imports them for type checking alone: what a board runs
is the standard library.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from runner.records.cells import Cell, Hold

    Whole: TypeAlias = int  # a pick has a key `int`

    Program: TypeAlias = Mapping[str, object]
    """A program of the contract, as plain data; `Asked` and `TrialAsked` say what is in it."""


class Asked(TypedDict, total=False):
    """A program, whichever but a trial: the keys of all of them; `program` says which."""

    version: int
    program: str
    run: str
    job: int
    check: bool
    secrets: Sequence[str]
    hold: Hold | None
    facts: bool
    tools: Sequence[str]
    sysctls: Sequence[str]
    ports: bool
    """Whether the ports that a client may be given are counted."""
    cells: Sequence[Cell]
    layer: str
    over: bool
    force: bool
    gone: str | None
    leave_kept: bool
    trial: str
    offset: int
    sha256: str
    size: int


class File(TypedDict, total=False):
    """A file that the trial's folder gets before it begins; one of text and base64."""

    name: str
    text: str
    base64: str


class Blob(TypedDict):
    """An executable that has to be on the host."""

    sha256: str
    size: int


class Ready(TypedDict, total=False):
    """When a server is ready: one of http, tcp, stdout, stderr and listening."""

    http: str
    tcp: str
    stdout: str
    stderr: str
    listening: str
    """The port."""
    insecure: bool
    ca: str | None
    within_s: float


class Groups(TypedDict):
    """The control groups of a workload."""

    version: int
    join: Sequence[str]
    cells: Sequence[Cell]


class Traced(TypedDict):
    """Which system calls are counted, and where the tracer writes."""

    path: str
    calls: Sequence[str]


class Listen(TypedDict):
    """The port that is listened on; null where the agent chooses one."""

    port: int | None


class Prepare(TypedDict, total=False):
    """What is done before it is measured: a command, or a text that is written to a path."""

    index: int
    when: str
    """before or ready."""
    argv: Sequence[str]
    within_s: float
    action: str
    path: str | None
    """None: sync."""
    text: str


class Workload(TypedDict, total=False):
    """What is measured."""

    argv: Sequence[str]
    traced: Traced | None
    env: Mapping[str, str]
    cwd: str | None
    limits: Mapping[str, Sequence[int]]
    cpus: Sequence[int] | None
    aslr: bool
    user: str | None
    umask: int | None
    stdin: Mapping[str, str] | None
    """Its text, or the path of a file of the host."""
    run: str
    """server or once."""
    within_s: float
    timeout_s: float | None
    """Instead of within_s, where running out of it is a result."""
    cgroup: Groups | None
    warm: Sequence[str]
    listen: Listen | None
    ready: Ready | None
    prepare: Sequence[Prepare]


class Pick(TypedDict, total=False):
    """What is taken of a text or asked of the kernel: one of these, see host/sample/extract.py."""

    int: bool
    hex: bool
    keys: Sequence[str]
    after_comm: Sequence[Whole]
    words: Sequence[Whole]
    psi: Sequence[str]
    netstat: Sequence[str]
    established: Whole | str
    perf: Sequence[str]
    tree: Sequence[str]
    vcgencmd: str
    pmic: str


class Read(TypedDict, total=False):
    """One file that is sampled, and what is taken of it."""

    id: str
    path: str
    pick: Pick
    hz: float


class Sample(TypedDict):
    """What is sampled, and how often."""

    hz: float
    reads: Sequence[Read]


class Keep(TypedDict):
    """The trial whose workload goes on, and how long this one's waits."""

    after: str | None
    for_s: float


class Cooldown(TypedDict, total=False):
    """A pause, and what it waits for."""

    at_least_s: float
    at_most_s: float
    time_wait_below: int | None
    temperature_below: float | None
    load_below: float | None


class Waiting(TypedDict):
    """When unanswered connections are counted."""

    at_s: float
    longer_s: float


class Log(TypedDict):
    """A generator's log of single requests, by its name in the trial's folder."""

    name: str


class Step(TypedDict, total=False):
    """One step of a load; without `argv` it only looks on."""

    index: int
    name: str
    connections: int | None
    warmup: Sequence[str] | None
    warmup_s: float
    argv: Sequence[str] | None
    log: Log | None
    at_s: float
    measure_s: float
    waiting: Waiting | None
    timeout_s: float
    linger_s: float
    cooldown: Cooldown | None


class Start(TypedDict, total=False):
    """When the load begins on all hosts: at a time of this host's clock, or after a while."""

    at: float
    lead_s: float


class Load(TypedDict, total=False):
    """The load of a trial."""

    start: Start
    steps: Sequence[Step]
    between: str
    """keep or fresh."""
    cpus: Sequence[int] | None
    nofile: int


class Fault(TypedDict, total=False):
    """What is broken in the middle of the load."""

    index: int
    kind: Literal["network", "process", "memory"]
    at_s: float
    for_s: float | None
    link: str | None
    down: bool
    netem: Sequence[str]
    do: str
    """kill or pause."""
    bytes: int


class Fetch(TypedDict, total=False):
    """A page or a file that is brought back."""

    name: str
    when: str
    url: str | None
    path: str | None
    binary: bool
    after_s: float | None


class Abort(TypedDict, total=False):
    """Conditions that the agent itself watches."""

    workload_dead_s: float
    oom_kills: int | None
    printed: dict[str, list[str]]
    """Patterns by the stream, stdout or stderr, in which one of them ends the trial."""


class Stop(TypedDict, total=False):
    """How the workload is ended."""

    signal: str
    grace_s: float


class TrialAsked(Asked, total=False):
    """The `trial` program: `version`, `run` and `secrets` are added as it is sent."""

    boot_id: str | None
    network: str
    """host or isolated."""
    network_cells: Sequence[Cell]
    files: Sequence[File]
    upload: Mapping[str, Blob]
    workload: Workload | None
    sample: Sample
    keep: Keep | None
    load: Load | None
    idle_s: float
    faults: Sequence[Fault]
    settle: Cooldown | None
    abort: Abort
    declared: Sequence[Cell]
    fetch: Sequence[Fetch]
    stop: Stop


def frozen(data: Mapping[str, object]) -> Program:
    """Give a program whose mappings and lists cannot be changed, at any depth."""
    return MappingProxyType({key: _frozen(value) for key, value in data.items()})


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return frozen(value)
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value


def thawed(value: object) -> object:
    """`default` of `json.dumps` for what is frozen."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def trial_of(program: Program) -> str:
    """Give the trial that a program is of."""
    return str(program["trial"])
