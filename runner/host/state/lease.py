"""The dead man's lease: the host restores itself when no controller is heard of any more.

A process of its own, started with the first program of a run that has a lease.
It outlives the link and ends with the run's hold.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from ..emit import to_fd
from ..programs import restore
from . import holds, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_POLL_S = 5.0
_TAKEN_WITHIN_S = 30.0  # converge and trial take the hold soon after they start
_HAND_OVER_S = 2.0


def watch(where: state_folder.State) -> None:
    """Start the watcher. Does nothing where one is running."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        # twice, so that no one has to wait for it; and away from the link's
        # terminal and pipes, which would stay open with it
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            _watch(where)
    finally:
        os._exit(0)


def _watch(where: state_folder.State) -> None:
    fd = os.open(where.path("lease.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _alone(fd):
        return
    begun = heard = time.monotonic()
    seen: Optional[float] = None
    while True:
        held = holds.read(where)
        lease_s = None if held is None else held["lease_s"]
        if lease_s is None or held is None:
            if seen is not None or time.monotonic() - begun > _TAKEN_WITHIN_S:
                return
            time.sleep(0.1)
            continue
        if held["seen"] != seen:
            # by this clock: the wall clock of a board jumps when it first hears of NTP
            seen, heard = held["seen"], time.monotonic()
        left = heard + lease_s - time.monotonic()
        if left <= 0 and _restored(where, str(held["run"])):
            return
        time.sleep(min(max(left, 0.1), _POLL_S))


def _alone(fd: int) -> bool:
    deadline = time.monotonic() + _HAND_OVER_S  # the watcher of the run before may be leaving
    while True:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def _restored(where: state_folder.State, run: str) -> bool:
    """Put the host back; say whether that was possible, not whether all is back."""
    fd = os.open(where.path("lease.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    emit = to_fd(fd)
    emit("lease_ended", run=run)
    try:
        restore.run({"run": run, "force": False, "leave_kept": True}, where, emit)
    except (state_folder.Refused, OSError) as fault:
        emit("error", code="internal", message=str(fault))
        return False
    finally:
        os.close(fd)
    return True
