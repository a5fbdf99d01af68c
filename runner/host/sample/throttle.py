"""Throttle bits of the Raspberry Pi firmware by its own tool, where the kernel has no file.

Source: `vcgencmd get_throttled` of raspi-utils; the kernel's driver has `get_throttled` on
most boards, and not with every kernel of a Pi 5.
"""

from __future__ import annotations

import re
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

TIMEOUT_S = 1.0
"""It answers in milliseconds; a mailbox that hangs must not hold the sampler up."""


def read(tool: str) -> Optional[int]:
    """Give the bits, or None where the tool does not answer; OSError where it cannot start."""
    try:
        done = subprocess.run(
            [tool, "get_throttled"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    said = re.search(rb"throttled=(?:0x)?([0-9a-fA-F]{1,8})\b", done.stdout)
    return int(said.group(1), 16) if said else None
