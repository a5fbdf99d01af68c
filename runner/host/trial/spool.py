"""The spool: a trial's events on the host's disk, one JSON object a line, append only.

Whoever streams a trial copies whole lines of this file, so nothing is sent that is
not here first. A reserve of disk blocks is kept aside: on a full disk it is given
back, and the record still ends in `error` and `end`.
"""

from __future__ import annotations

import contextlib
import errno
import os

from ..emit import line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from ..mask import Mask

NAME = "spool.jsonl"
RESERVE_NAME = "reserve"
RESERVE_BYTES = 65536
NUMBERS = ("sample",)
"""Events that hold no text of anybody's."""
BULK = ("sample", "output", "fetched", "fetched_part")
FULL = (errno.ENOSPC, errno.EDQUOT)


class DiskFull(Exception):  # noqa: N818 - names the state of the disk
    """The file system of the state folder has no room left."""


class Spool:
    """Appends events to `<folder>/spool.jsonl`."""

    def __init__(self, folder: str, fd: Optional[int] = None) -> None:
        """Create the spool; FileExistsError when the trial was begun before.

        `fd` is one that another process has created, and handed on empty.
        """
        self.folder = folder
        self.path = os.path.join(folder, NAME)
        self._reserve = os.path.join(folder, RESERVE_NAME)
        self._length = 0
        self._full = False
        self.mask: Optional[Mask] = None
        """What hides the secrets of the program in the record."""
        if fd is not None:
            self.fd = fd
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self.fd = os.open(self.path, flags, 0o600)
        try:
            fd = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, RESERVE_BYTES)
            finally:
                os.close(fd)
        except OSError as fault:
            if fault.errno in FULL:
                self._room()
                raise DiskFull(self.folder) from fault
            if fault.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise

    def emit(self, event: str, **fields: object) -> None:
        """Append one event; DiskFull once when there is no room, then the reserve is used."""
        if self._full and event in BULK:
            return  # what is left of the disk is for the record's end
        if self.mask and event not in NUMBERS:
            fields = self.mask.fields(fields)
        data = line_of(event, fields)
        try:
            self._write(data)
        except OSError as fault:
            if fault.errno not in FULL:
                raise
            # A torn line would spoil the one behind it.
            os.ftruncate(self.fd, self._length)
            if self._full:
                return  # even the reserve is used up: the stream ends as a cut one
            self._room()
            raise DiskFull(self.folder) from fault

    def _write(self, data: bytes) -> None:
        sent = 0
        while sent < len(data):
            sent += os.write(self.fd, data[sent:])
        self._length += len(data)

    def _room(self) -> None:
        self._full = True
        with contextlib.suppress(OSError):
            os.unlink(self._reserve)

    def release(self) -> None:
        """Let go of the file in the process that does not write it."""
        os.close(self.fd)

    def close(self) -> None:
        """Make the record durable and give the reserve back."""
        try:
            os.fsync(self.fd)
        finally:
            os.close(self.fd)
            self._room()
