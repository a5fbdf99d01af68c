"""Who listens on a port: the workload, somebody else, or nobody."""

from __future__ import annotations

import os

from ..sample import sockets
from . import network, process
from .context import Aborted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class PortTaken(Aborted):
    """Somebody else has taken the port between its choice and the workload's start."""

    def __init__(self, port: int, pid: int, how: str) -> None:
        super().__init__(f"port {port} belongs to {who(pid)}: {how}")
        self.port = port


class Listener:
    """Pids; a stranger that cannot be seen is 0."""

    def __init__(self, ours: Optional[int], stranger: Optional[int]) -> None:
        self.ours, self.stranger = ours, stranger


def of(port: int) -> Listener:
    """Find the listeners on a port; one that is not a descendant of this process comes first."""
    diag = sockets.Diag()
    try:
        inodes = diag.listeners(port)
    finally:
        diag.close()
    descendants = process.descendants(os.getpid())
    ours = None
    for inode in inodes:
        pid = sockets.owner([inode], descendants)
        if pid not in descendants:
            return Listener(None, pid or 0)
        ours = pid
    return Listener(ours, None)


def who(pid: int) -> str:
    """Name a stranger for messages."""
    return f"pid {pid} ({network.describe(pid)})" if pid else "a process that is not visible"
