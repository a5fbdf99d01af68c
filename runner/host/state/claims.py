"""Who holds this host, told to everybody on it: a state folder is one user's, the host is not.

A hold is published as a file in a folder that all users may write in and where nobody may
replace another's file: `runner-hold-<random>.json`, with the run, the state folder and what
tells whether it is alive. It is gone with the boot, but for one whose run has asked for the
reboot. Who reads it trusts nothing in it: whoever is on the host may write one, and then
the host is busy for the others until somebody removes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Mapping, Optional, Tuple

VARIABLE = "RUNNER_HOLDS"
"""Names another folder for all of them: for tests, which are many hosts on one machine."""
VOLATILE = ("/run/lock", "/dev/shm", "/tmp")  # noqa: S108 - nothing read there is trusted
LASTING = ("/var/tmp",)  # noqa: S108 - the same
MOST = 1000
_NAME = re.compile(r"runner-hold-[0-9a-f]{32}\.json")
_BYTES = 4096
_GONE = (FileNotFoundError, NotADirectoryError)


class Claim:
    """One hold as it was published, with what the file system says of it."""

    def __init__(self, path: str, status: os.stat_result, content: Mapping[str, object]) -> None:
        self.path, self.uid, self.touched = path, status.st_uid, status.st_mtime
        self.content = content
        self.state = str(content["state"])
        """The state folder, as its user names it."""

    def of(self, root: str) -> bool:
        """Whether it is of this state folder, of this user."""
        return self.uid == os.geteuid() and self.content["key"] == _key(root)

    def stands(self) -> bool:
        """Whether its state folder still has a hold, as far as that can be seen from here."""
        try:
            os.stat(os.path.join(self.state, "hold.json"))
        except _GONE:
            return False
        except (OSError, ValueError):
            return True  # of another user: what is not seen is not known to be gone
        return True


def place(*, lasting: bool = False) -> Optional[str]:
    """Give the folder where holds are published; None where the host has none that will do."""
    return next(_places(lasting=lasting), None)


def new_path(folder: str) -> str:
    """Give a name that nobody can foresee."""
    return os.path.join(folder, f"runner-hold-{os.urandom(16).hex()}.json")


def is_ours(path: object) -> bool:
    """Whether this can be the path of a claim, whatever it was read from."""
    if not isinstance(path, str) or not _NAME.fullmatch(os.path.basename(path)):
        return False
    return os.path.dirname(path) in (*_places(lasting=False), *_places(lasting=True))


def publish(path: str, root: str, held: Mapping[str, object]) -> None:
    """Write a hold where everybody reads it; OSError where that cannot be."""
    data = json.dumps({**held, "state": root, "key": _key(root)}).encode("ascii")
    part = f"{path}.{os.urandom(8).hex()}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(part, flags, 0o600)
    try:
        try:
            os.write(fd, data)
            os.fchmod(fd, 0o644)
        finally:
            os.close(fd)
        os.rename(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def touch(path: object) -> None:
    """Note that the controller was heard of."""
    if is_ours(path):
        with contextlib.suppress(OSError):
            os.utime(str(path), follow_symlinks=False)


def withdraw(root: str) -> None:
    """Remove what this state folder has published, and what no folder of this user stands for."""
    for claim in read()[0]:
        if claim.of(root) or (claim.uid == os.geteuid() and not claim.stands()):
            with contextlib.suppress(OSError):
                os.unlink(claim.path)


def read() -> Tuple[List[Claim], bool]:
    """Give every claim that can be read, and whether there are more than are looked at."""
    claims: List[Claim] = []
    names = [
        os.path.join(folder, name)
        for folder in dict.fromkeys((*_places(lasting=False), *_places(lasting=True)))
        for name in os.listdir(folder)
        if _NAME.fullmatch(name)
    ]
    for path in names[:MOST]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            claim = _read(path)
            if claim is not None:
                claims.append(claim)
    return claims, len(names) > MOST


def _read(path: str) -> Optional[Claim]:
    # whatever is there under that name: a link is not followed, a pipe not waited for
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            return None
        content: Dict[str, object] = json.loads(os.read(fd, _BYTES))
    finally:
        os.close(fd)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(k), str) for k in ("state", "key")
    ):
        return None
    return Claim(path, status, content)


def _key(root: str) -> str:
    """Tell a state folder from every other, by whichever path it is reached."""
    status = os.stat(root)
    return f"{status.st_dev}:{status.st_ino}"


def _places(*, lasting: bool) -> Iterator[str]:
    """Give the one folder that every user of the host comes to by the same rule.

    It is root's, and a file in it is removed by its owner alone.
    """
    named = os.environ.get(VARIABLE)
    for path in (named,) if named else LASTING if lasting else VOLATILE:
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            shared = status.st_uid == 0 and status.st_mode & (stat.S_ISVTX | 0o002) == 0o1002
            if stat.S_ISDIR(status.st_mode) and (shared or named):
                yield path
                return
