"""Waiting for what happens elsewhere: in another process, on another host, in the kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def until(what: Callable[[], Any], within_s: float = 60.0) -> Any:
    """Give what it returns once that is true; that it never is, is a failure with a name."""
    deadline = time.monotonic() + within_s
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.01)  # most of what is waited for tells nobody
