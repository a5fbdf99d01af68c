"""Files, symbolic links and folders: read whole, replaced whole, put back whole.

    {"type": "file", "bytes_b64", "mode", "uid", "gid", "xattrs": {name: base64}, "mtime_ns"}
    {"type": "symlink", "target", "uid", "gid", "mtime_ns"}
    {"type": "dir", "mode", "uid", "gid", "xattrs"}
    {"type": "other", "mode"}     a device, fifo or socket: shown, never changed
    None                          absent

A file is replaced by rename, so that a reader sees the old or the new one. One
that has other names (hard links) or is a mount point is written in place, since
a rename would part it from them; the journal covers a cut there. In a folder that
others may write nothing is written in place: what has the name may be a hard link
that one of them made to a file of ours.

Everything is done below the descriptor of the folder (folders.py) and by the
descriptor of the file: a new one gets an unpredictable name, with O_EXCL and
O_NOFOLLOW, and owner, attributes and mode before it gets its own.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat

from ..crash_point import tick
from ..errors import CellError
from . import content
from .folders import Folder, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, Optional, Sequence, Tuple, TypeVar

    from runner.records.cells import FileState

    Made = TypeVar("Made")

_MODE = 0o644
_MODE_DIR = 0o755
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TRIES = 100


def names() -> Tuple[str, str]:
    """Choose the names of new files: of the write, and of putting back, which nobody sees before.

    They are journalled with the prior value, so that a later restore finds what was left.
    """
    return _name(), _name()


def _name() -> str:
    return f".runner-{os.urandom(16).hex()}.new"


def state_of(value: object) -> Optional[FileState]:
    """Give a value of a cell as what a file is; CellError for what says nothing of one."""
    if value is None:
        return None
    if not isinstance(value, dict) or "type" not in value:
        raise CellError(f"{value!r} does not say what kind of file it is")
    state: FileState = value  # type: ignore[assignment]  # programs and journals were checked
    return state


def read(path: str) -> Optional[FileState]:
    """Give what is at `path` itself, not behind a link."""
    try:
        with _folder(path) as (folder, name):
            return _read(folder, name)
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextlib.contextmanager
def _folder(path: str) -> Iterator[Tuple[Folder, str]]:
    above, name = split(path)
    with contextlib.closing(Folder(above)) as folder:
        yield folder, name


def _read(folder: Folder, name: str) -> Optional[FileState]:
    status = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    owner: FileState = {"uid": status.st_uid, "gid": status.st_gid}
    if stat.S_ISLNK(status.st_mode):
        link: FileState = {
            "type": "symlink",
            "target": os.readlink(name, dir_fd=folder.fd),
            **owner,
        }
        return {**link, "mtime_ns": status.st_mtime_ns}
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        return {"type": "other", "mode": mode, **owner}
    if status.st_size > content.MOST_BYTES and stat.S_ISREG(status.st_mode):
        raise CellError(f"{status.st_size} bytes are too many to keep a copy of")
    try:
        fd = os.open(name, _READ, dir_fd=folder.fd)
    except PermissionError:
        if not stat.S_ISDIR(status.st_mode):
            raise
        return {"type": "dir", "mode": mode, **owner, "xattrs": {}}
    try:
        # of what is open now: the name may have gone to something else since
        status = os.fstat(fd)
        mode = stat.S_IMODE(status.st_mode)
        owner = {"uid": status.st_uid, "gid": status.st_gid}
        if stat.S_ISDIR(status.st_mode):
            return {"type": "dir", "mode": mode, **owner, "xattrs": content.xattrs(fd)}
        if not stat.S_ISREG(status.st_mode):
            return {"type": "other", "mode": mode, **owner}
        data = content.bytes_of(fd)
        return {
            "type": "file",
            "bytes_b64": base64.b64encode(data).decode("ascii"),
            "mode": mode,
            **owner,
            "xattrs": content.xattrs(fd),
            "mtime_ns": status.st_mtime_ns,
        }
    finally:
        os.close(fd)


def same(prior: Optional[FileState], now: Optional[FileState]) -> bool:
    """Say whether two readings are one state; a time of change is not part of it."""
    if prior is None or now is None:
        return prior is None and now is None
    return _timeless(prior) == _timeless(now)


def no_way_back(prior: Optional[FileState]) -> Optional[str]:
    """Say why something cannot be put back once it is replaced."""
    if prior is not None and prior["type"] == "other":
        return "a device, fifo or socket is there, which is left alone"
    return None


def write(path: str, want: Optional[FileState], part: str = "") -> None:
    """Bring `path` to `want`; what it leaves out stays as it was, or is usual for a new one.

    `part` is the name of the new file until it is whole.
    """
    with _folder(path) as (folder, name):
        have = _have(folder, name)
        if want is None:
            _remove(folder, name, have)
            return
        full: FileState = {
            "mode": _MODE_DIR if want["type"] == "dir" else _MODE,
            "uid": os.geteuid(),
            "gid": os.getegid(),
            **_kept(have, want),
            **want,
        }
        # attributes that are not named are kept: a security label belongs to the path
        before = have.get("xattrs") or {} if have else {}
        full["xattrs"] = {**before, **(want.get("xattrs") or {})}
        if "mtime_ns" in full:
            del full["mtime_ns"]
        _put(folder, name, have, full, part or _name())


def _kept(have: Optional[FileState], want: FileState) -> FileState:
    """Give what stays of a file that is there: its owner, and its mode where it stays one."""
    if have is None:
        return {}
    kept: FileState = {"uid": have["uid"], "gid": have["gid"]}
    if have["type"] == want["type"] and "mode" in have:
        kept["mode"] = have["mode"]
    return kept


def put_back(path: str, prior: Optional[FileState], parts: Sequence[str] = ()) -> None:
    """Bring `path` to what was read before, to the last attribute and its time."""
    leftovers(path, parts)
    try:
        with _folder(path) as (folder, name):
            have = _have(folder, name)
            if prior is None:
                _remove(folder, name, have)
            else:
                _put(folder, name, have, prior, parts[-1] if parts else _name())
    except (FileNotFoundError, NotADirectoryError):
        if prior is not None:
            raise


def leftovers(path: str, parts: Sequence[str] = ()) -> None:
    """Remove the new file of a write that was cut before its rename."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _folder(path) as (folder, _):
        for part in parts:
            if "/" in part or not part.startswith(".runner-"):
                continue  # a damaged journal must not name a file of somebody's
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                os.unlink(part, dir_fd=folder.fd)
                tick()


def _have(folder: Folder, name: str) -> Optional[FileState]:
    try:
        return _read(folder, name)
    except FileNotFoundError:
        return None


def _put(
    folder: Folder,
    name: str,
    have: Optional[FileState],
    want: FileState,
    part: str,
) -> None:
    kind = want["type"]
    if kind not in ("file", "symlink", "dir"):
        raise CellError(f"cannot make a {kind}")
    if have is not None and have["type"] != kind and "dir" in (kind, have["type"]):
        # rename(2) replaces a file by a link, but neither by a folder
        _remove(folder, name, have)
        have = None
    if kind == "dir":
        if have is None:
            os.mkdir(name, 0o700, dir_fd=folder.fd)
            tick()
        fd = os.open(name, _READ | os.O_DIRECTORY, dir_fd=folder.fd)
        try:
            if have is None and os.fstat(fd).st_uid != os.geteuid():
                raise CellError("somebody put another folder in the place of the new one")
            content.dress(fd, want)
        finally:
            os.close(fd)
    elif kind == "symlink":
        _put_link(folder, name, want, part)
    else:
        _put_file(folder, name, have, want, part)
    folder.sync()


def _put_link(folder: Folder, name: str, want: FileState, part: str) -> None:
    def make() -> None:
        os.symlink(str(want["target"]), part, dir_fd=folder.fd)

    _anew(folder, part, make)
    tick()
    # by the name of a descriptor: whoever may write this folder could swap the link
    fd = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder.fd)
    try:
        status = os.fstat(fd)
        if not stat.S_ISLNK(status.st_mode) or status.st_uid != os.geteuid():
            raise CellError("somebody put another file in the place of the new link")
        owner = (int(want.get("uid", status.st_uid)), int(want.get("gid", status.st_gid)))
        if owner != (status.st_uid, status.st_gid):
            os.chown(f"/proc/self/fd/{fd}", *owner)
        time_ns = want.get("mtime_ns")
        if time_ns is not None:
            os.utime(f"/proc/self/fd/{fd}", ns=(time_ns, time_ns))
    finally:
        os.close(fd)
    os.rename(part, name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)


def _anew(folder: Folder, part: str, make: Callable[[], Made]) -> Made:
    """Make something of a name that may be left from a restore that was cut, or be planted."""
    for _ in range(_TRIES):
        try:
            return make()
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part, dir_fd=folder.fd)
    raise CellError(f"somebody puts {part} there again and again")


def _put_file(
    folder: Folder,
    name: str,
    have: Optional[FileState],
    want: FileState,
    part: str,
) -> None:
    data = base64.b64decode(want["bytes_b64"])
    if have is not None and have["type"] == "file":
        status = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
        if status.st_nlink > 1:
            if not folder.private:
                raise CellError(
                    f"it has {status.st_nlink} names, and others may write {folder.path}: "
                    "it may be a file from elsewhere, and is left alone"
                )
            _in_place(folder, name, data, want)
            return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

    def make() -> int:
        return os.open(part, flags, 0o600, dir_fd=folder.fd)

    try:
        fd = _anew(folder, part, make)
        try:
            content.fill(fd, data)
            content.dress(fd, want)
        finally:
            os.close(fd)
        tick()
        os.rename(part, name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    except OSError as fault:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder.fd)
            tick()
        # a mount point cannot be renamed over; on a full disk the old blocks still serve
        if fault.errno not in (errno.EBUSY, errno.EXDEV, errno.ENOSPC) or have is None:
            raise
        if have["type"] != "file" or (fault.errno == errno.ENOSPC and not _fits(have, data)):
            raise
        if not folder.private:
            raise
        _in_place(folder, name, data, want)


def _in_place(folder: Folder, name: str, data: bytes, want: FileState) -> None:
    fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder.fd)
    try:
        content.fill(fd, data)
        tick()
        content.dress(fd, want)
    finally:
        os.close(fd)


def _fits(have: FileState, data: bytes) -> bool:
    return len(data) <= len(base64.b64decode(have["bytes_b64"]))


def _remove(folder: Folder, name: str, have: Optional[FileState]) -> None:
    if have is None:
        return
    if have["type"] == "other":
        raise CellError("a device, fifo or socket is there, which is left alone")
    if have["type"] == "dir":
        # with ENOTEMPTY when something of someone else's is in it
        os.rmdir(name, dir_fd=folder.fd)
    else:
        os.unlink(name, dir_fd=folder.fd)
    folder.sync()


def _timeless(value: FileState) -> Dict[str, object]:
    return {key: kept for key, kept in value.items() if key != "mtime_ns"}
