"""The way to a file, walked folder by folder: no link of another user leads us elsewhere.

A path is opened one part after the other (openat(2)). A link on the way is followed
where root or this process made it, in a folder where nobody else could have swapped it;
any other link is refused. What is then done is done below the descriptor of the last
folder, so that renaming a folder meanwhile changes nothing.
"""

from __future__ import annotations

import errno
import os
import stat

from ..errors import CellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

MOST_LINKS = 40  # as the kernel, see path_resolution(7)
_WALK = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """An open folder, and whether others may change what is in it."""

    def __init__(self, path: str) -> None:
        """Open a folder; OSError where it is not there, CellError for a link that is not ours."""
        self.path = path
        self.fd = os.open("/", _WALK)
        try:
            self._walk([part for part in path.split("/") if part not in ("", ".")])
        except BaseException:
            os.close(self.fd)
            raise

    def _walk(self, parts: List[str]) -> None:
        links = 0
        while parts:
            part = parts.pop(0)
            if part == "..":  # of a link's target; a path of ours has none
                self._step("..")
                continue
            try:
                self._step(part)
            except OSError as fault:
                if fault.errno not in (errno.ELOOP, errno.ENOTDIR):
                    raise
                status = os.stat(part, dir_fd=self.fd, follow_symlinks=False)
                if not stat.S_ISLNK(status.st_mode):
                    raise
                links += 1
                if links > MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.path) from None
                if not _ours(status.st_uid) or not self.safe:
                    raise CellError(
                        f"{part} on the way to {self.path} is a link of uid {status.st_uid} that "
                        "others may point elsewhere: it is not followed"
                    ) from None
                target = os.readlink(part, dir_fd=self.fd)
                if target.startswith("/"):
                    self._step("/")
                parts[:0] = [piece for piece in target.split("/") if piece not in ("", ".")]

    def _step(self, part: str) -> None:
        fd = os.open(part, _WALK, dir_fd=self.fd)
        os.close(self.fd)
        self.fd = fd

    @property
    def safe(self) -> bool:
        """Whether nobody but root and this process can put or swap names in it."""
        status = os.fstat(self.fd)
        if not _ours(status.st_uid):
            return False
        # in a sticky folder others add names, but cannot take ours
        return not status.st_mode & 0o022 or bool(status.st_mode & stat.S_ISVTX)

    @property
    def private(self) -> bool:
        """Whether nobody else can even add a name."""
        status = os.fstat(self.fd)
        return _ours(status.st_uid) and not status.st_mode & 0o022

    def sync(self) -> None:
        """Make its names durable; a folder that this user may enter and not read is left."""
        try:
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.fd)
        except PermissionError:
            return
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Let it go."""
        os.close(self.fd)


def _ours(uid: int) -> bool:
    return uid in (0, os.geteuid())


def plain_path(path: str) -> str:
    """Write a path in one way only: `//` and `/./` are `/`."""
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def split(path: str) -> "tuple[str, str]":
    """Give the folder and the last name of a path."""
    folder, _, name = plain_path(path).rpartition("/")
    return folder or "/", name
