"""Swap devices and files, on with a priority or off. Sources: swapon(2), mm/swapfile.c."""

from __future__ import annotations

import os
import re

from ..errors import CellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional

    from runner.records.cells import SwapState

_PREFER = 0x8000
_MOST_PRIORITY = 0x7FFF
_HEADROOM = 0.9  # of what is available; the last tenth keeps the host reachable


def table() -> Dict[str, Dict[str, int]]:
    """Give /proc/swaps by real path: priority, size_bytes, used_bytes."""
    areas: Dict[str, Dict[str, int]] = {}
    try:
        with open("/proc/swaps", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()[1:]
    except FileNotFoundError:  # a kernel without swap
        return areas
    for line in lines:
        path, _, size, used, priority = line.rsplit(None, 4)
        # blanks and the like stand as octal escapes
        path = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), path)
        areas[path] = {
            "priority": int(priority),
            "size_bytes": int(size) * 1024,
            "used_bytes": int(used) * 1024,
        }
    return areas


def read(path: str) -> Optional[SwapState]:
    """Give `{"priority": n}`, or None when it is off."""
    row = table().get(os.path.realpath(path))
    return None if row is None else {"priority": row["priority"]}


def state_of(value: object) -> Optional[SwapState]:
    """Give a value of a cell as what a swap area is; CellError for what is none."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise CellError(f"{value!r} is not a swap area")
    state: SwapState = value  # type: ignore[assignment]  # its one key is read as a number
    return state


def equal(want: Optional[SwapState], have: Optional[SwapState]) -> bool:
    """Compare; a negative priority is the kernel's own numbering and stands for `automatic`."""
    if want is None or have is None:
        return want is None and have is None
    a, b = want.get("priority"), have["priority"]
    if a is None or b is None:
        return True
    return int(a) == b or (int(a) < 0 and b < 0)


def write(path: str, want: Optional[SwapState]) -> None:
    """Switch on, off, or to another priority."""
    have = read(path)
    if have is not None:
        _off(path)
    if want is not None:
        priority = want.get("priority")
        flags = 0
        if priority is not None and int(priority) >= 0:
            flags = _PREFER | min(int(priority), _MOST_PRIORITY)
        _call("swapon", path, flags)


def _off(path: str) -> None:
    used = table()[os.path.realpath(path)]["used_bytes"]
    with open("/proc/meminfo", encoding="ascii") as file:
        text = file.read()
    available = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    if available and used > int(available.group(1)) * 1024 * _HEADROOM:
        # the kernel would try, and kill processes on the way
        raise CellError(
            f"{used} bytes are swapped out there and {int(available.group(1)) * 1024} are available"
        )
    _call("swapoff", path)


def _call(name: str, path: str, *flags: int) -> None:
    # here and not at the top: it costs 10 ms on a small board, and swap is rare
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(os.fsencode(path), *flags):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
