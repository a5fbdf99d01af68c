"""TCP sockets as the kernel counts them, in the caller's network namespace.

Over NETLINK_SOCK_DIAG (sock_diag(7)) with a filter that the kernel runs, so that
a dump holds only the port's sockets. Port numbers are the host's own side unless
said otherwise.
"""

from __future__ import annotations

import errno
import os
import struct

from .raw_socket import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Iterator, List, Optional, Tuple

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
INET_DIAG_REQ_BYTECODE = 1
INET_DIAG_INFO = 2
ESTABLISHED, SYN_SENT, TIME_WAIT, LISTEN = 1, 2, 6, 10
# conditions of the filter (linux/inet_diag.h)
JUMP, SPORT_GE, SPORT_LE, DPORT_GE, DPORT_LE = 1, 2, 3, 4, 5

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, pid
_OP = struct.Struct("=BBH")  # code, bytes to go on if true, bytes to go on if false
_INODE_AT = _HEADER.size + 68  # inet_diag_msg: 4 + 48 (socket id) + 4×4, then idiag_inode
_STATE_AT = _HEADER.size + 1
_PORT_AT = _HEADER.size + 4  # idiag_sport, in network order
_ATTRIBUTES_AT = _HEADER.size + 72
# of tcp_info: retransmits; unacked; and how long ago, in ms: data sent, data received
_RETRANSMITS_AT, _UNACKED_AT, _SENT_AT, _RECEIVED_AT = 2, 24, 44, 52


def _equals(ge: int, le: int, port: int, otherwise: int) -> bytes:
    """Two conditions (16 bytes) that hold for one port; else go on `otherwise` bytes."""
    return (
        _OP.pack(ge, 8, otherwise)
        + _OP.pack(0, 0, port)
        + _OP.pack(le, 8, otherwise - 8)
        + _OP.pack(0, 0, port)
    )


def _filter(port: int, either_side: bool) -> bytes:
    # A jump to 4 bytes behind the end refuses the socket; to the end itself takes it.
    if not either_side:
        return _equals(SPORT_GE, SPORT_LE, port, 20)
    return (
        _equals(SPORT_GE, SPORT_LE, port, 20)
        + _OP.pack(JUMP, 4, 20)
        + _equals(DPORT_GE, DPORT_LE, port, 20)
    )


def _request(family: int, states: int, port: int, either_side: bool, extended: int = 0) -> bytes:
    code = _filter(port, either_side)
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, extended, 0, states) + bytes(48)
    body += struct.pack("=HH", 4 + len(code), INET_DIAG_REQ_BYTECODE) + code
    head = _HEADER.pack(_HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
    return head + body


class Diag:
    """One open sock_diag socket. Open it after entering a network namespace."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG
        )
        # The kernel answers at once or not at all; a lost answer must not stop the sampler.
        self._socket.settimeout(2.0)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def fileno(self) -> int:
        """Give the descriptor."""
        return self._socket.fileno()

    def _dump(
        self, states: int, port: int, either_side: bool, extended: int = 0
    ) -> Iterator[bytes]:
        """Whole datagrams of the answers, IPv4 then IPv6 (which holds dual-stack servers)."""
        for family in (socket.AF_INET, socket.AF_INET6):
            self._socket.send(_request(family, states, port, either_side, extended))
            done = False
            while not done:
                data = self._socket.recv(1 << 17)
                done = _ends(data)
                yield data

    def count(self, port: int) -> Dict[str, int]:
        """Count `established` (server's side only) and `time_wait` (either side) of a port."""
        states = {ESTABLISHED: 0, TIME_WAIT: 0}
        for data in self._dump(1 << ESTABLISHED, port, either_side=False):
            _tally(data, states)
        for data in self._dump(1 << TIME_WAIT, port, either_side=True):
            _tally(data, states)
        return {"established": states[ESTABLISHED], "time_wait": states[TIME_WAIT]}

    def established(self, port: int) -> int:
        """Count connections established to a port of this host."""
        states = {ESTABLISHED: 0}
        for data in self._dump(1 << ESTABLISHED, port, either_side=False):
            _tally(data, states)
        return states[ESTABLISHED]

    def waiting(self, port: int, longer_s: float) -> Optional[int]:
        """Count the connections to a port that have waited for an answer longer than that.

        Of clients that ask again as soon as they were answered: a wait is as old as the last
        data that was sent. Where the clients are on this host, theirs are looked at, those
        that are not connected yet too; else the server's side of each, and None where the
        kernel tells no times.
        """
        clients, servers, any_info = [0, 0], [0, 0], False
        states = 1 << ESTABLISHED | 1 << SYN_SENT
        for data in self._dump(states, port, either_side=True, extended=1 << INET_DIAG_INFO - 1):
            for at, length, kind in _messages(data):
                if kind != SOCK_DIAG_BY_FAMILY:
                    continue
                info = _tcp_info(data, at, length)
                mine = struct.unpack_from(">H", data, at + _PORT_AT)[0] == port
                if info < 0:
                    continue
                any_info = True
                one = servers if mine else clients
                one[0] += 1
                one[1] += _waited_s(data, info, data[at + _STATE_AT], mine) >= longer_s
        return (clients if clients[0] else servers)[1] if any_info else None

    def listeners(self, port: int) -> List[int]:
        """Give the inodes of the sockets that listen on a port."""
        inodes = []
        for data in self._dump(1 << LISTEN, port, either_side=False):
            for at, _, kind in _messages(data):
                if kind == SOCK_DIAG_BY_FAMILY:
                    inodes.append(struct.unpack_from("=I", data, at + _INODE_AT)[0])
        return inodes


def _messages(data: bytes) -> Iterator[Tuple[int, int, int]]:
    """Offset, length and type of each message of a datagram."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if length < _HEADER.size:
            return
        yield at, length, kind
        at += (length + 3) & ~3


def _tcp_info(data: bytes, at: int, length: int) -> int:
    """Where the tcp_info of a message begins; -1 where it has none (older than Linux 2.6)."""
    place, end = at + _ATTRIBUTES_AT, at + length
    while place + 4 <= end:
        size, kind = struct.unpack_from("=HH", data, place)
        if size < 4:
            return -1
        if kind == INET_DIAG_INFO and place + 4 + _RECEIVED_AT + 4 <= end:
            return place + 4
        place += (size + 3) & ~3
    return -1


def _waited_s(data: bytes, info: int, state: int, server: bool) -> float:
    """Seconds for which a connection has waited for an answer, as far as is known."""
    if state == SYN_SENT:
        # the first SYN is sent again after 1 s, then after 2 s more, and so on
        return float((1 << data[info + _RETRANSMITS_AT]) - 1)
    (sent,) = struct.unpack_from("=I", data, info + _SENT_AT)
    (received,) = struct.unpack_from("=I", data, info + _RECEIVED_AT)
    if server:
        return float(received) / 1000
    if struct.unpack_from("=I", data, info + _UNACKED_AT)[0]:
        # what is not acknowledged is sent again and again, which counts as sent
        return float(max(sent, received)) / 1000
    return float(sent) / 1000


def _ends(data: bytes) -> bool:
    """Whether this datagram is the last of a dump; OSError when the kernel refused it."""
    if _regular(data):
        return False
    for at, _, kind in _messages(data):
        if kind == NLMSG_DONE:
            return True
        if kind == NLMSG_ERROR:
            code = -struct.unpack_from("=i", data, at + _HEADER.size)[0]
            if code == errno.ENOENT:  # a kernel without tcp_diag, or without IPv6
                return True
            raise OSError(code, os.strerror(code))
    return False


def _regular(data: bytes) -> bool:
    """Whether the datagram is nothing but socket messages of one length.

    10 000 connections are 300 datagrams; two strided counts in C replace a loop in
    Python over all their messages, ten times a second on a small board.
    """
    length = struct.unpack_from("=I", data)[0] if len(data) >= _HEADER.size else 0
    many, rest = divmod(len(data), length) if length else (0, 1)
    return (
        not rest
        and data[0::length].count(length & 255) == many
        and data[4::length].count(SOCK_DIAG_BY_FAMILY) == many
    )


def _tally(data: bytes, states: Dict[int, int]) -> None:
    if _regular(data):
        length = struct.unpack_from("=I", data)[0]
        for state in states:
            states[state] += data[_STATE_AT::length].count(state)
        return
    for at, _, kind in _messages(data):
        if kind == SOCK_DIAG_BY_FAMILY and data[at + _STATE_AT] in states:
            states[data[at + _STATE_AT]] += 1


def owner(inodes: Iterable[int], first: Iterable[int] = ()) -> Optional[int]:
    """Find the process that holds one of these sockets; looks at the pids in `first` first."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    if not wanted:
        return None
    tried = []
    for pid in first:
        tried.append(pid)
        if _holds(pid, wanted):
            return pid
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in tried and _holds(int(name), wanted):
            return int(name)
    return None


def _holds(pid: int, wanted: Iterable[str]) -> bool:
    folder = f"/proc/{pid}/fd/"
    try:
        names = os.listdir(folder)
    except OSError:  # gone, or another user's
        return False
    for name in names:
        try:
            if os.readlink(folder + name) in wanted:
                return True
        except OSError:
            continue
    return False
