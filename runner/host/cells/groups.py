"""Control groups, v1 and v2: a folder that is there or not.

What is in a group that goes away was put there by this program: a group that
existed before is never a cell with prior None.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time

from ..crash_point import tick
from ..errors import CellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

PRESENT = "present"
KILL_S = 5.0


def read(path: str) -> Optional[str]:
    """Say whether the group is there."""
    if not os.path.isdir(path):
        return None
    if not os.path.exists(os.path.join(path, "cgroup.procs")):
        raise CellError(f"{path} is a folder but no control group: is its controller mounted?")
    return PRESENT


def write(path: str, want: object) -> None:
    """Make the group, or take it away with everything that runs in it."""
    if want == PRESENT:
        os.mkdir(path)
        if not os.path.exists(os.path.join(path, "cgroup.procs")):
            os.rmdir(path)
            raise CellError(f"{os.path.dirname(path)} is not a control group hierarchy")
    elif want is None:
        if os.path.isdir(path):
            remove(path)
    else:
        raise CellError(f"a control group is 'present' or absent, not {want!r}")


def remove(path: str) -> None:
    """Kill the members, those of inner groups too, then remove inner groups first."""
    folders = [folder for folder, _, _ in os.walk(path, topdown=False)]
    if not os.path.exists(os.path.join(path, "cgroup.procs")):
        raise CellError(f"{path} is not a control group")
    deadline = time.monotonic() + KILL_S
    for folder in folders:
        _thaw(folder)
    while True:
        left = [pid for folder in folders for pid in members(folder)]
        if os.getpid() in left:
            raise CellError("this program itself runs in it")
        if not left:
            break
        if time.monotonic() > deadline:
            members_left = ", ".join(f"{pid}{_frozen_in(pid)}" for pid in left)
            raise CellError(f"still in it after SIGKILL: {members_left}")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                tick()
        time.sleep(0.01)
    for folder in folders:
        _rmdir(folder, deadline)
        tick()


def _thaw(folder: str) -> None:
    """Let a frozen group go on: what is frozen on v1 does not even heed SIGKILL."""
    for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            if os.path.exists(path):
                with open(path, "w", encoding="ascii") as file:
                    file.write(word)


def _frozen_in(pid: int) -> str:
    """Name the group of another hierarchy that keeps a process frozen; nothing where none does."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
        for _, names, path in lines:
            state = f"/sys/fs/cgroup/freezer{path}/freezer.state"
            if "freezer" in names.split(",") and os.path.exists(state):
                with open(state, encoding="ascii") as file:
                    if file.read().strip() != "THAWED":
                        return f" (frozen by the group freezer:{path}; echo THAWED > {state})"
    return ""


def members(path: str) -> List[int]:
    """Give the processes of one group; none when it is gone."""
    try:
        with open(os.path.join(path, "cgroup.procs"), encoding="ascii") as file:
            # 0 stands for a process of another pid namespace, which cannot be named here
            return [pid for pid in map(int, file.read().split()) if pid]
    except OSError as fault:
        if fault.errno in (errno.ENOENT, errno.ENODEV):
            return []
        raise


def _rmdir(path: str, deadline: float) -> None:
    while True:
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return
        except OSError as fault:
            # a member that was killed is counted until it has been reaped
            if fault.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
