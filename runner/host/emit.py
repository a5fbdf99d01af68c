"""Events: one JSON object a line on stdout, whatever becomes of the reader."""

from __future__ import annotations

import json
import os
import signal
import time

from .digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Mapping, Optional

    from runner.records.cells import Cell, FileSaid

    from .mask import Mask

    Emit = Callable[..., None]
    """`emit(kind, **fields)`."""


MASK = "(secret)"


def to_fd(fd: int, mask: Optional[Mask] = None) -> Emit:
    """Give an Emit that writes lines to `fd` and falls silent once nobody reads.

    `mask` hides secrets in all that is said.

    What has been begun is finished without a reader: a link that drops must not
    leave a host half way.
    """
    open_ = [True]

    def emit(event: str, **fields: object) -> None:
        if not open_[0]:
            return
        try:
            write_all(fd, line_of(event, mask.fields(fields) if mask else fields))
        except OSError:
            open_[0] = False

    return emit


_writing = [False]


def write_all(fd: int, data: bytes) -> None:
    """Write all of it; no sign of life comes between its parts."""
    _writing[0] = True
    try:
        while data:
            data = data[os.write(fd, data) :]
    finally:
        _writing[0] = False


def beat(*_: object) -> None:
    """Say by an empty line on stdout that the program lives; handler of a timer."""
    if _writing[0]:
        return
    try:
        os.write(1, b"\n")
    except OSError:
        signal.setitimer(signal.ITIMER_REAL, 0)


def line_of(event: str, fields: Mapping[str, object]) -> bytes:
    """Give one event as a line of JSON."""
    record = {"event": event, "at": round(time.time(), 6), **fields}
    # ASCII: bytes that are not text arrive as lone surrogates instead of breaking the line
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def shown(cell: Cell, value: object) -> object:
    """Give a cell's value as events may show it: a secret file by its size and hash."""
    if not cell.get("secret") or value is None:
        return value
    return summary(value) if isinstance(value, dict) and "bytes_b64" in value else MASK


def summary(value: Mapping[str, object]) -> FileSaid:
    """Give a file without its bytes: kind, mode, owner, size and hash."""
    from base64 import b64decode

    data = b64decode(str(value["bytes_b64"] or ""))
    fields: FileSaid = {"size": len(data), "sha256": sha256(data).hexdigest()}
    for key in ("type", "mode", "uid", "gid"):
        if key in value:
            fields[key] = value[key]  # type: ignore[typeddict-item]  # as it was read
    return fields


def described(cell: Cell, value: object) -> str:
    """Give a cell's value for a message: a file by size and hash, a secret by the mask."""
    if isinstance(value, dict) and "bytes_b64" in value:
        fields = summary(value)
        text = "{} bytes (sha256 {})".format(fields["size"], fields["sha256"][:16])
        text += ", mode {:04o}".format(fields["mode"]) if "mode" in fields else ""
        return text + (" of {uid}:{gid}".format(**fields) if "gid" in fields else "")
    return repr(MASK if cell.get("secret") and value is not None else value)


def hide(cell: Cell, why: Optional[str], *values: object) -> Optional[str]:
    """Take the values of a secret cell out of a message."""
    if why is None or not cell.get("secret"):
        return why
    for value in values:
        if isinstance(value, str) and value:
            why = why.replace(value, MASK)
    return why
