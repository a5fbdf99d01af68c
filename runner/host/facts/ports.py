"""How many of the ports that clients are given others have taken, in the caller's network.

A client that names no port is given one of net.ipv4.ip_local_port_range that nobody has bound
(net/ipv4/inet_hashtables.c, __inet_hash_connect): one that a connect has taken serves another
destination as well, so that it counts as free. Sockets that are bound and neither listen nor
are connected stand in no table: each port is tried, and of a large range some, evenly spread.
"""

from __future__ import annotations

import errno

from ..sample.raw_socket import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Set

    from runner.records.cells import PortsTried

MOST = 1024
"""Ports that are tried: some 10 ms on a small board."""
LISTEN = "0A"
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


def count() -> Optional[PortsTried]:
    """Count what was tried of the range, and what of that is taken; None where nothing says it."""
    try:
        with open(RANGE, encoding="ascii") as file:
            low, high = (int(word) for word in file.read().split())
        connected = _connected()
    except (OSError, ValueError):
        return None
    every = max(1, -(-(high - low + 1) // MOST))
    ports = range(low, high + 1, every)
    taken = sum(1 for port in ports if not _free(port) and port not in connected)
    return {"low": low, "high": high, "tried": len(ports), "taken": taken}


def _free(port: int) -> bool:
    one = socket.socket()
    try:
        one.bind(("", port))
    except OSError as fault:
        return fault.errno != errno.EADDRINUSE
    finally:
        one.close()
    return True


def _connected() -> Set[int]:
    """Local ports of sockets in any state but listening: ended ones too."""
    connected: Set[int] = set()
    listening: Set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except FileNotFoundError:
            continue  # a kernel without IPv6
        for row in rows:
            port = int(row[1].rpartition(":")[2], 16)
            (listening if row[3] == LISTEN else connected).add(port)
    return connected - listening
