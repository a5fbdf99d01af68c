"""What the Raspberry Pi firmware's own tool says: `vcgencmd` of raspi-utils."""

from __future__ import annotations

import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

TIMEOUT_S = 1.0
"""It answers in milliseconds; a mailbox that hangs must not hold the sampler up."""


def ask(tool: str, question: str) -> Optional[str]:
    """Give what it prints, or None where it does not answer; OSError where it cannot start."""
    try:
        done = subprocess.run(
            [tool, question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.decode("ascii", "replace")
