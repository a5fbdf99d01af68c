"""Files, symbolic links and folders: read whole, replaced whole, put back whole.

    {"type": "file", "bytes_b64", "mode", "uid", "gid", "xattrs": {name: base64}, "mtime_ns"}
    {"type": "symlink", "target", "uid", "gid", "mtime_ns"}
    {"type": "dir", "mode", "uid", "gid", "xattrs"}
    {"type": "other", "mode"}     a device, fifo or socket: shown, never changed
    None                          absent

A file is replaced by rename, so that a reader sees the old or the new one. One
that has other names (hard links) or is a mount point is written in place, since
a rename would part it from them; the journal covers a cut there.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat

from ..crash_point import tick
from ..digest import sha256
from ..errors import CellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Mapping, Optional

MOST_BYTES = 16 * 1024 * 1024
"""Larger files are not journalled, and therefore not changed."""

_MODE = 0o644
_MODE_DIR = 0o755
_NO_XATTR = (errno.ENOTSUP, errno.ENODATA, errno.EPERM, errno.EACCES)


def read(path: str) -> Optional[Dict[str, Any]]:
    """Give what is at `path` itself, not behind a link."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    owner: Dict[str, Any] = {"uid": found.st_uid, "gid": found.st_gid}
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        said = {"type": "symlink", "target": os.readlink(path), **owner}
        return {**said, "mtime_ns": found.st_mtime_ns}
    if stat.S_ISDIR(found.st_mode):
        return {"type": "dir", "mode": mode, **owner, "xattrs": _xattrs(path)}
    if not stat.S_ISREG(found.st_mode):
        return {"type": "other", "mode": mode, **owner}
    if found.st_size > MOST_BYTES:
        raise CellError(f"{found.st_size} bytes are too many to keep a copy of")
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    return {
        "type": "file",
        "bytes_b64": base64.b64encode(data).decode("ascii"),
        "mode": mode,
        **owner,
        "xattrs": _xattrs(path),
        "mtime_ns": found.st_mtime_ns,
    }


def same(prior: Any, now: Any) -> bool:
    """Say whether two readings are one state; a time of change is not part of it."""
    if prior is None or now is None:
        return prior is None and now is None
    return _timeless(prior) == _timeless(now)


def no_way_back(prior: Any) -> Optional[str]:
    """Say why something cannot be put back once it is replaced."""
    if prior is not None and prior["type"] == "other":
        return "a device, fifo or socket is there, which is left alone"
    return None


def write(path: str, want: Optional[Mapping[str, Any]]) -> None:
    """Bring `path` to `want`; what it leaves out stays as it was, or is usual for a new one."""
    have = read(path)
    if want is None:
        _remove(path, have)
        return
    kept: Dict[str, Any] = {k: v for k, v in (have or {}).items() if k in ("mode", "uid", "gid")}
    if have is None or have["type"] != want["type"]:
        kept.pop("mode", None)
    full: Dict[str, Any] = {
        "mode": _MODE_DIR if want["type"] == "dir" else _MODE,
        "uid": os.geteuid(),
        "gid": os.getegid(),
        **kept,
        **want,
    }
    # attributes that are not named are kept: a security label belongs to the path
    before = (have or {}).get("xattrs") or {}
    full["xattrs"] = {**before, **(want.get("xattrs") or {})}
    full.pop("mtime_ns", None)
    _put(path, have, full)


def put_back(path: str, prior: Optional[Mapping[str, Any]]) -> None:
    """Bring `path` to what was read before, to the last attribute and its time."""
    leftovers(path)
    have = read(path)
    if prior is None:
        _remove(path, have)
    else:
        _put(path, have, prior)


def leftovers(path: str) -> None:
    """Remove the new file of a write that was cut before its rename."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(_part(path))
        tick()


def _put(path: str, have: Optional[Mapping[str, Any]], want: Mapping[str, Any]) -> None:
    kind = want["type"]
    if kind not in ("file", "symlink", "dir"):
        raise CellError(f"cannot make a {kind}")
    if have is not None and have["type"] != kind and "dir" in (kind, have["type"]):
        # rename(2) replaces a file by a link, but neither by a folder
        _remove(path, have)
        have = None
    if kind == "dir":
        if have is None:
            os.mkdir(path, 0o700)
            tick()
        _dress(path, want)
    elif kind == "symlink":
        part = _part(path)
        leftovers(path)
        os.symlink(str(want["target"]), part)
        tick()
        if "uid" in want:
            os.chown(part, int(want["uid"]), int(want["gid"]), follow_symlinks=False)
        _set_time(part, want)
        os.rename(part, path)
    else:
        _put_file(path, have, want)
    _sync_folder(path)


def _put_file(path: str, have: Optional[Mapping[str, Any]], want: Mapping[str, Any]) -> None:
    data = base64.b64decode(want["bytes_b64"])
    if have is not None and have["type"] == "file" and os.lstat(path).st_nlink > 1:
        _in_place(path, data, want)
        return
    part = _part(path)
    try:
        _fill(part, data, os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW)
        _dress(part, want)
        tick()
        os.rename(part, path)
    except OSError as fault:
        leftovers(path)
        # a mount point cannot be renamed over; on a full disk the old blocks still serve
        if fault.errno not in (errno.EBUSY, errno.EXDEV, errno.ENOSPC) or have is None:
            raise
        if have["type"] != "file" or (fault.errno == errno.ENOSPC and not _fits(have, data)):
            raise
        _in_place(path, data, want)


def _in_place(path: str, data: bytes, want: Mapping[str, Any]) -> None:
    _fill(path, data, os.O_NOFOLLOW)
    tick()
    _dress(path, want)


def _fits(have: Mapping[str, Any], data: bytes) -> bool:
    return len(data) <= len(base64.b64decode(have["bytes_b64"]))


def _fill(path: str, data: bytes, flags: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        tick()
        os.ftruncate(fd, len(data))
        os.fsync(fd)
    finally:
        os.close(fd)


def _dress(path: str, want: Mapping[str, Any]) -> None:
    """Set owner, attributes, mode and time, in this order: chown clears set-id bits."""
    if "uid" in want:
        owner = os.lstat(path)
        if (owner.st_uid, owner.st_gid) != (int(want["uid"]), int(want["gid"])):
            os.chown(path, int(want["uid"]), int(want["gid"]))
    if want.get("xattrs") is not None:
        now = _xattrs(path)
        for name, text in want["xattrs"].items():
            if now.get(name) != text:
                os.setxattr(path, name, base64.b64decode(text))
        for name in now:
            if name not in want["xattrs"]:
                with contextlib.suppress(OSError):  # a security label cannot be taken off
                    os.removexattr(path, name)
    if "mode" in want and stat.S_IMODE(os.lstat(path).st_mode) != int(want["mode"]):
        os.chmod(path, int(want["mode"]))
    _set_time(path, want)


def _set_time(path: str, want: Mapping[str, Any]) -> None:
    if want.get("mtime_ns") is not None:
        os.utime(path, ns=(int(want["mtime_ns"]), int(want["mtime_ns"])), follow_symlinks=False)


def _remove(path: str, have: Optional[Mapping[str, Any]]) -> None:
    if have is None:
        return
    if have["type"] == "other":
        raise CellError("a device, fifo or socket is there, which is left alone")
    if have["type"] == "dir":
        os.rmdir(path)  # with ENOTEMPTY when something of someone else's is in it
    else:
        os.unlink(path)
    _sync_folder(path)


def _xattrs(path: str) -> Dict[str, str]:
    found: Dict[str, str] = {}
    with contextlib.suppress(OSError):
        for name in os.listxattr(path, follow_symlinks=False):
            try:
                data = os.getxattr(path, name, follow_symlinks=False)
            except OSError as fault:
                if fault.errno in _NO_XATTR:
                    continue
                raise
            found[name] = base64.b64encode(data).decode("ascii")
    return found


def _part(path: str) -> str:
    # known from the path alone, so that a later restore finds it; short, as names have a limit
    folder, name = os.path.split(path)
    return os.path.join(folder, f".runner-{sha256(name.encode()).hexdigest()[:16]}.new")


def _sync_folder(path: str) -> None:
    fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _timeless(value: Mapping[str, Any]) -> Dict[str, Any]:
    return {key: said for key, said in value.items() if key != "mtime_ns"}
