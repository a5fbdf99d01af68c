"""The state folder on the host: who holds it, one writer at a time.

<root>/lock             flock of whoever is changing the host
<root>/hold.json        the run that the host is taken by
<root>/journal.jsonl    prior values of everything changed
<root>/agent/<sha256>/  versions of this program
<root>/blobs/<sha256>   executables sent before
<root>/runs/<run>/<trial>/spool.jsonl
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time

from ..crash_point import tick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar, Union

    Fallback = TypeVar("Fallback", float, None)
    from typing import Iterator, Optional

    from runner.records.cells import Held, Hold

LOCK_WAIT_S = 3.0
"""Longer than a converge takes; who waits longer is told `busy`."""

REBOOT_S = 900.0
"""How long a run that reboots its host may stay away: a slow board, and a check of its disk."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A program is not carried out; `code` is one of the contract's error codes."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class State:
    """Where everything of the agent is kept on this host."""

    def __init__(self, root: str) -> None:
        self.root = root

    def path(self, *parts: str) -> str:
        """Give the path of something below the state folder."""
        return os.path.join(self.root, *parts)

    @property
    def journal(self) -> str:
        """File of prior values."""
        return self.path("journal.jsonl")


def open_state(root: str) -> State:
    """Make the folder, readable by its owner alone, and refuse someone else's.

    The agent and executables are run from here: whoever could write in it
    could run anything as this user.
    """
    root = os.path.abspath(root)
    os.makedirs(root, mode=0o700, exist_ok=True)
    found = os.stat(root)
    if found.st_uid != os.geteuid():
        raise Refused(
            "bad_program",
            f"{root} belongs to uid {found.st_uid}, not to uid {os.geteuid()} who runs this",
            "name another state folder, or remove it",
        )
    if found.st_mode & 0o077:
        os.chmod(root, 0o700)
    return State(root)


def boot_id() -> str:
    """Name this boot; values of an earlier one are gone."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


@contextlib.contextmanager
def locked(state: State) -> Iterator[None]:
    """Be the only one who changes this host; Refused `busy` when someone else stays at it.

    The kernel drops the lock with the process, so a killed agent leaves none.
    """
    fd = os.open(state.path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    raise Refused(
                        "busy", "another program is changing this host", "try again in a moment"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(fd)


def sync_folder(path: str) -> None:
    """Make names in a folder durable: a file's own fsync does not cover its name."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: str, data: bytes) -> None:
    """Replace a file of the state folder by one that is whole at every moment."""
    part = f"{path}.{os.getpid()}.part"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        tick()
        if os.path.isdir(path):
            _aside(path)
        os.rename(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    sync_folder(os.path.dirname(path))
    tick()


def hold(state: State) -> Optional[Held]:
    """Give the run that holds this host, or None. A damaged file holds nothing.

    Whatever the file says, what is given has the right types: keys that are missing or are
    not what they have to be are filled in from the file's own time, or left out.
    """
    try:
        fd = os.open(state.path("hold.json"), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, encoding="utf-8") as file:
            found = json.loads(file.read(_HOLD_BYTES))
            touched = os.fstat(file.fileno()).st_mtime
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("run"), str) or not found["run"]:
        return None
    pid = _number(found.get("pid"), None)
    whole: Held = {
        "run": found["run"],
        "kept": bool(found.get("kept")),
        "rebooting": bool(found.get("rebooting")),
        "since": _number(found.get("since"), touched),
        "seen": max(_number(found.get("seen"), touched), touched),
        "lease_s": _number(found.get("lease_s"), None),
        "pid": None if pid is None else int(pid),
        "boot_id": found.get("boot_id"),
        "controller": found.get("controller"),
    }
    return whole


_HOLD_BYTES = 1 << 20


def _number(value: object, otherwise: Fallback) -> Union[float, Fallback]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return otherwise
    return value if abs(value) < 1e12 else otherwise  # nor NaN: it compares as false


def alive(found: Optional[Held]) -> bool:
    """Say whether a hold still counts: its boot or its reboot, its controller heard of in time."""
    if not found or found.get("kept"):
        return False
    if found.get("boot_id") != boot_id():
        # it rebooted for its own run, which has this long to take it up again
        return bool(found.get("rebooting")) and time.time() - found["seen"] <= REBOOT_S
    if found.get("pid") is not None:
        # the controller runs on this very machine: nothing has to be guessed
        return os.path.exists(f"/proc/{found['pid']}")
    lease_s = found.get("lease_s")
    # without a lease only a restore ends it
    return lease_s is None or time.time() - found["seen"] <= lease_s


def refuse_if_held(state: State, run: str, gone: Optional[str] = None) -> None:
    """Raise Refused `busy` while another run's hold is alive.

    `gone` is a run whose controller is known to be dead.
    """
    found = hold(state)
    if found and found["run"] not in (run, gone) and alive(found):
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found["since"]))
        raise Refused(
            "busy",
            f"held by run {found['run']} since {since}, started from {found.get('controller')}",
            "wait for it to end; if it is dead, `runner restore --force` puts the host back",
        )


def take(state: State, run: str, want: Hold) -> Held:
    """Take the host for a run, or renew what it has; Refused `busy` as above."""
    refuse_if_held(state, run)
    now = time.time()
    before = hold(state)
    taken: Held = {
        "run": run,
        "since": before["since"] if before and before["run"] == run else now,
        "controller": want.get("controller"),
        "lease_s": want.get("lease_s"),
        "pid": want.get("pid"),
        "kept": bool(want.get("kept")),
        "rebooting": False,
        "seen": now,
        "boot_id": boot_id(),
    }
    write_whole(state.path("hold.json"), json.dumps(taken).encode())
    return taken


def leave_for_a_boot(state: State, run: str) -> None:
    """Let a run's hold outlive the reboot that it asked for; Refused where it has none."""
    found = hold(state)
    if not found or found["run"] != run or found.get("boot_id") != boot_id():
        raise Refused("busy", f"run {run} does not hold this host", "converge first")
    kept: Held = {**found, "rebooting": True, "seen": time.time()}
    write_whole(state.path("hold.json"), json.dumps(kept).encode())


def touch(state: State, run: str) -> None:
    """Note that the controller of a run was heard of; for the lease.

    By the file's time alone: writing to an SD card every few seconds would
    disturb what is measured.
    """
    found = hold(state)
    if found and found["run"] == run and found.get("lease_s") is not None:
        os.utime(state.path("hold.json"))


def drop(state: State) -> None:
    """Let the host go."""
    path = state.path("hold.json")
    with contextlib.suppress(FileNotFoundError):
        if os.path.isdir(path):
            _aside(path)
        else:
            os.unlink(path)
        sync_folder(state.root)
        tick()


def _aside(path: str) -> None:
    """Move a folder out of the way that has the name of a file of ours: it may be anything."""
    os.rename(path, f"{path}.{os.urandom(4).hex()}.aside")
