"""A cell and its values, as a host is sent them and as it keeps them in its journal.

The agent imports these for type checking alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypedDict

Ways: TypeAlias = Sequence[str] | Mapping[str, Sequence[str]]
"""How an `argv` cell is written: one argv with `{value}`, or one for each value."""


class Cell(TypedDict, total=False):
    """One address with one value; which keys it needs depends on `via`."""

    id: str
    via: str
    """pseudo, file, cgroup, swap, argv or link."""
    path: str
    name: str
    attr: str
    read: Sequence[str]
    parse: str
    write: Ways
    want: object
    """Text, a number, null for absent, or the mapping of a file or a swap area."""
    form: str
    runtime: bool
    coupled: Sequence[str]
    after: Sequence[str]
    secret: bool
    timeout_s: float | None
    keep: bool
    action: bool
    parts: Sequence[str]
    """Names of new files; the agent's own, in its journal."""
    coupled_to: str
    """The same: the cell whose write changes this one."""


class FileState(TypedDict, total=False):
    """What a `file` cell holds: a file, a link, a folder, or what is only shown."""

    type: str
    """file, symlink, dir or other."""
    bytes_b64: str
    target: str
    mode: int
    uid: int
    gid: int
    xattrs: Mapping[str, str]
    mtime_ns: int | None


class FileSaid(TypedDict, total=False):
    """A file as events show it: without its bytes."""

    type: str
    mode: int
    uid: int
    gid: int
    size: int
    sha256: str


class SwapState(TypedDict, total=False):
    """What a `swap` cell holds: the priority, or null for the kernel's own numbering."""

    priority: int | None


class Hold(TypedDict, total=False):
    """Who holds the host, and how long unheard of."""

    controller: str | None
    lease_s: float | None
    pid: int | None
    kept: bool
    job: int | None
    """The job of a queue that the controller is; a later one of the same run shuts it out."""


class Held(Hold, total=False):
    """The hold as the host keeps it."""

    run: str
    since: float
    seen: float
    boot_id: str | None
    rebooting: bool
    claim: str | None
    """File that tells the host's other users of it."""
    uid: int
    """Of a hold that another state folder has: whose, and which."""
    state: str


class PortsTried(TypedDict):
    """Ports that a client may be given, how many of them were tried, and how many others have."""

    low: int
    high: int
    tried: int
    taken: int


class Line(TypedDict, total=False):
    """A line of a host's journal: a change, or a seal, undo, stays or done."""

    n: int
    run: str
    boot_id: str
    at: float
    cell: Cell
    prior: object
    want: object
    runtime: bool
    layer: str
    seal: int
    kept: object
    undo: Sequence[int]
    stays: str
    done: Sequence[int]


class TrialSaid(TypedDict):
    """A trial that a host has: of `status`."""

    run: str
    trial: str
    running: bool
    bytes: int
    last: object
    """Kind of its last event, and its time; null where nothing whole is there."""
    at: object
