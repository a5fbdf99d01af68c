"""A network namespace of the trial's own: no port can collide, no sysctl leaks out."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import struct

from ..sample.raw_socket import socket
from ..state.state_folder import Refused
from . import cgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from runner.records.cells import Cell

    from ..emit import Emit

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
_IFREQ = struct.Struct("16sh14x")  # name, flags; the rest of the union is not looked at

FIRST_PORT, LAST_PORT = 18080, 28080

_libc = ctypes.CDLL(None, use_errno=True)


def isolate(cells: Sequence[Cell], emit: Emit) -> None:
    """Move this process into a fresh namespace, bring `lo` up and write the cells there.

    The namespace ends with its last process, so nothing of it is journalled.
    """
    if _libc.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise Refused(
            "need_root",
            f"no network namespace: {os.strerror(code)}",
            "run as root (become: true), or say `network: host`",
        )
    up("lo")
    # what an older kernel keeps for the machine alone is not here, and was set on the host
    cells = [cell for cell in cells if os.path.exists(str(cell["path"]))]
    cgroup.apply(lambda say: cgroup.write_cells(cells, say), emit)


def up(interface: str) -> None:
    """Set an interface up, as `ip link set … up` does."""
    with contextlib.closing(
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    ) as control:
        name = interface.encode()
        now = fcntl.ioctl(control, SIOCGIFFLAGS, _IFREQ.pack(name, 0))
        flags = _IFREQ.unpack(now)[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, _IFREQ.pack(name, flags | IFF_UP))


def free_port() -> int:
    """Give a TCP port that nobody uses in this namespace, on any address of both families.

    Taken from below the usual range of outgoing connections (32768 and up): the load's
    own connections must not get the port while the workload is being restarted.
    """
    for port in range(FIRST_PORT, LAST_PORT):
        if _free(socket.AF_INET, port) and _free(socket.AF_INET6, port):
            return port
    raise Refused("busy", f"no free port from {FIRST_PORT} to {LAST_PORT}")


def _free(family: int, port: int) -> bool:
    """Whether every address of a family has the port free; a family that is off has none."""
    try:
        probe = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    except OSError as fault:
        return fault.errno == errno.EAFNOSUPPORT
    with contextlib.closing(probe):
        try:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(("", port))
        except OSError as fault:
            return fault.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True


def describe(pid: int) -> str:
    """Name of a process, for messages."""
    for name in ("cmdline", "comm"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}") as file:
            word = file.read().split("\0")[0].strip()
            if word:
                return word
    return "?"
