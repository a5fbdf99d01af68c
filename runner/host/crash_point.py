"""Die on purpose after the nth write, so that tests can kill the agent at every one.

`RUNNER_FAULT=n` in the environment ends the process at once, like a power cut
of the process: no handler, no flush, no cleanup. Unset, `tick` costs nothing.
"""

from __future__ import annotations

import os

EXIT_CODE = 9

_left = int(os.environ.get("RUNNER_FAULT") or 0)


def tick() -> None:
    """Count one write that has reached the kernel."""
    global _left  # noqa: PLW0603 - one countdown per process is what is meant
    if _left:
        _left -= 1
        if not _left:
            os._exit(EXIT_CODE)
