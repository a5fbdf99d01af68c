"""The state folder on the host: one writer at a time.

<root>/lock             flock of whoever is changing the host
<root>/hold.json        the run that the host is taken by; told to its other users by claims.py
<root>/fence.json       the last job of a queue that took it, and for which run
<root>/journal.jsonl    prior values of everything changed
<root>/agent/<sha256>/  versions of this program
<root>/blobs/<sha256>   executables sent before
<root>/runs/<run>/<trial>/spool.jsonl
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from ..crash_point import tick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

LOCK_WAIT_S = 3.0
"""Longer than a converge takes; who waits longer is told `busy`."""


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
    status = os.stat(root)
    if status.st_uid != os.geteuid():
        raise Refused(
            "bad_program",
            f"{root} belongs to uid {status.st_uid}, not to uid {os.geteuid()} who runs this",
            "name another state folder, or remove it",
        )
    if status.st_mode & 0o077:
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
            aside(path)
        os.rename(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    sync_folder(os.path.dirname(path))
    tick()


def aside(path: str) -> None:
    """Move a folder out of the way that has the name of a file of ours: it may be anything."""
    os.rename(path, f"{path}.{os.urandom(4).hex()}.aside")
