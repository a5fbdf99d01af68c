"""Network interfaces: up or down, and the MTU. Source: netdevice(7)."""

from __future__ import annotations

import errno
import fcntl
import struct

from ..errors import CellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914
_GET_MTU, _SET_MTU = 0x8921, 0x8922
_UP = 0x1
_MOST_NAME = 15
_IFREQ = "16si20x"  # name, the first member of the union, the rest of it

_YES = ("up", "1", "true", "on")
_NO = ("down", "0", "false", "off")


def read(name: str, attr: str) -> Optional[str]:
    """Give `up`, `down` or the MTU as text; None when there is no such interface."""
    try:
        if attr == "up":
            return "up" if _flags(name) & _UP else "down"
        if attr == "mtu":
            return str(_ioctl(name, _GET_MTU))
    except OSError as fault:
        if fault.errno == errno.ENODEV:
            return None
        raise
    raise CellError(f"an interface has `up` and `mtu`, not {attr!r}")


def equal(attr: str, want: object, have: object) -> bool:
    """Compare; up is also said as 1, true or on."""
    if want is None or have is None:
        return want is None and have is None
    return _word(attr, want) == _word(attr, have)


def write(name: str, attr: str, want: object) -> None:
    """Set one attribute."""
    if want is None:
        raise CellError("an interface cannot be removed")
    word = _word(attr, want)
    if attr == "mtu":
        _ioctl(name, _SET_MTU, int(word))
        return
    flags = _flags(name)
    if word == "up":
        flags |= _UP
    elif word == "down":
        flags &= ~_UP
    else:
        raise CellError(f"an interface is `up` or `down`, not {want!r}")
    _ioctl(name, _SET_FLAGS, flags)


def _word(attr: str, value: object) -> str:
    word = str(value).strip().lower()
    if attr == "up":
        return "up" if word in _YES else "down" if word in _NO else word
    return word


def _flags(name: str) -> int:
    return _ioctl(name, _GET_FLAGS) & 0xFFFF  # a short in the union


def _ioctl(name: str, request: int, value: int = 0) -> int:
    raw = name.encode()
    if not raw or len(raw) > _MOST_NAME:
        raise CellError(f"{name!r} is not an interface name")
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        reply = fcntl.ioctl(sock, request, struct.pack(_IFREQ, raw, value))
    return int(struct.unpack(_IFREQ, reply)[1])
