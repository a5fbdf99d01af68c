"""A control group for what runs without limits: so that all of it is found when it has to end.

A child of the group that this process is in, where it may make one: nothing is counted or
bounded otherwise, and who is in it stays in it, whatever session or parent it chooses. Its
path is in the trial's folder before it is made: a killed supervisor's children are found by
`restore`. Where no group can be made, a variable of the environment marks them instead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time

from ..cells import groups
from ..errors import CellError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Tuple

NAMES = ("pen", "pen.workload")
"""Of the load generator, and of the workload, which may outlive its trial."""
MARK = "RUNNER_TRIAL"
_BEGINS = "runner-pen-"
_HIERARCHIES = ("freezer", "pids", "name=systemd", "systemd")
KILL_S = 5.0


class Pen:
    """What holds the processes of one trial."""

    def __init__(self, folder: str, name: str = NAMES[0]) -> None:
        """Make it for the trial whose folder this is."""
        self._note = os.path.join(folder, name)
        self._path = ""
        self.mark = os.path.basename(os.path.dirname(folder)) + "/" + os.path.basename(folder)
        for parent in _parents():
            path = os.path.join(parent, _BEGINS + os.urandom(6).hex())
            _write(self._note, path)
            with contextlib.suppress(OSError):
                os.mkdir(path)
                if os.access(os.path.join(path, "cgroup.procs"), os.W_OK):
                    self._path = path
                    return
                os.rmdir(path)
        _write(self._note, f"{MARK}={self.mark}")

    @property
    def join(self) -> List[str]:
        """Groups that a program enters before its first instruction."""
        return [self._path] if self._path else []

    @property
    def env(self) -> "dict[str, str]":
        """What marks a program where there is no group."""
        return {} if self._path else {MARK: self.mark}

    def empty(self) -> bool:
        """Say whether nobody is in it."""
        return not self._path or not groups.members(self._path)

    def remove(self) -> str:
        """End all that is in it, and remove it; gives why where that cannot be."""
        why = _end(self._path or f"{MARK}={self.mark}")[1]
        if not why:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._note)
        return why


def end_left(folder: str) -> "Tuple[int, str]":
    """End what a killed supervisor left of a trial; gives how many were ended, and why not all."""
    ended, why = 0, ""
    for name in NAMES:
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                mark = file.read(4096).strip()
        except (OSError, ValueError):
            continue
        many, fault = _end(mark)
        ended, why = ended + many, why or fault
        if not fault:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))
    return ended, why


def _end(mark: str) -> "Tuple[int, str]":
    if mark.startswith(f"{MARK}="):
        return _end_marked(mark)
    if not os.path.basename(mark).startswith(_BEGINS) or not os.path.isdir(mark):
        return 0, ""
    try:
        many = len(groups.members(mark))
        groups.remove(mark)
    except (OSError, CellError) as fault:
        return 0, f"{mark}: {reason(fault)}"
    return many, ""


def _end_marked(mark: str) -> "Tuple[int, str]":
    ended = 0
    deadline = time.monotonic() + KILL_S
    while True:
        pids = list(_marked(mark.encode()))
        if not pids:
            return ended, ""
        if time.monotonic() > deadline:
            return ended, f"still there after SIGKILL: {', '.join(map(str, pids))}"
        ended = max(ended, len(pids))
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _marked(mark: bytes) -> Iterator[int]:
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                yield int(name)


def _parents() -> Iterator[str]:
    """Give the groups that this process is in, in hierarchies that count nothing."""
    own = {}
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            for name in names.split(","):
                own[name] = path
    mounts = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            words, _, more = line.partition(" - ")
            kind, _, options = more.split()[:3]
            root, place = words.split()[3:5]
            if kind == "cgroup2":
                mounts[""] = (root, place)
            elif kind == "cgroup":
                for name in options.split(",") + more.split()[-1].split(","):
                    mounts.setdefault(name, (root, place))
    for name in ("", *_HIERARCHIES):
        if name in own and name in mounts:
            root, place = mounts[name]
            inside = os.path.relpath(own[name], root) if own[name].startswith(root) else "."
            folder = os.path.normpath(os.path.join(place, inside))
            if os.access(folder, os.W_OK) and _makes_groups(folder):
                yield folder


def _makes_groups(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "cgroup.procs"))


def _write(path: str, text: str) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            return  # the record's end says so; what runs is found by its parent as long as it lives
        raise
    with open(fd, "w", encoding="utf-8") as file:
        file.write(text + "\n")
