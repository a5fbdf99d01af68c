"""An open file: its bytes, owner, mode, attributes and time, all by its descriptor."""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat

from ..crash_point import tick
from ..errors import CellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

    from runner.records.cells import FileState

MOST_BYTES = 16 * 1024 * 1024
"""Larger files are not journalled, and therefore not changed."""
_NO_XATTR = (errno.ENOTSUP, errno.ENODATA, errno.EPERM, errno.EACCES)


def bytes_of(fd: int) -> bytes:
    """Give all bytes; CellError where they are too many."""
    parts: List[bytes] = []
    size = 0
    while True:
        part = os.read(fd, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise CellError(f"more than {MOST_BYTES} bytes are too many to keep a copy of")


def fill(fd: int, data: bytes) -> None:
    """Write all bytes from where the file stands, cut off what is behind, make it durable."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    tick()
    os.ftruncate(fd, len(data))
    os.fsync(fd)


def dress(fd: int, want: FileState) -> None:
    """Set owner, attributes, mode and time, in this order: chown clears set-id bits."""
    if "uid" in want:
        owner = os.fstat(fd)
        if (owner.st_uid, owner.st_gid) != (int(want["uid"]), int(want["gid"])):
            os.fchown(fd, int(want["uid"]), int(want["gid"]))
    if want.get("xattrs") is not None:
        now = xattrs(fd)
        for name, text in want["xattrs"].items():
            if now.get(name) != text:
                os.setxattr(fd, name, base64.b64decode(text))
        for name in now:
            if name not in want["xattrs"]:
                with contextlib.suppress(OSError):  # a security label cannot be taken off
                    os.removexattr(fd, name)
    if "mode" in want and stat.S_IMODE(os.fstat(fd).st_mode) != int(want["mode"]):
        os.fchmod(fd, int(want["mode"]))
    time_ns = want.get("mtime_ns")
    if time_ns is not None:
        os.utime(fd, ns=(time_ns, time_ns))


def xattrs(fd: int) -> Dict[str, str]:
    """Give the extended attributes that may be read, in base64 by name."""
    values: Dict[str, str] = {}
    with contextlib.suppress(OSError):
        for name in os.listxattr(fd):
            try:
                data = os.getxattr(fd, name)
            except OSError as fault:
                if fault.errno in _NO_XATTR:
                    continue
                raise
            values[name] = base64.b64encode(data).decode("ascii")
    return values
