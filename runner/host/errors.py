"""What can be wrong with one cell."""

from __future__ import annotations

import errno
import os


class CellError(Exception):
    """A cell cannot be read or written, in words; the kernel's own refusals are OSError."""


def reason(fault: BaseException) -> str:
    """Say what went wrong, with the kernel's name for it."""
    if isinstance(fault, OSError) and fault.errno is not None:
        name = errno.errorcode.get(fault.errno, str(fault.errno))
        return f"{os.strerror(fault.errno)} ({name})"
    return str(fault) or type(fault).__name__
