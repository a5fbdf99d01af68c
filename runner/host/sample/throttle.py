"""Throttle bits of the Raspberry Pi firmware by its own tool, where the kernel has no file.

Source: `vcgencmd get_throttled` of raspi-utils; the kernel's driver has `get_throttled` on
most boards, and not with every kernel of a Pi 5.
"""

from __future__ import annotations

import re

from . import vcgencmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


def read(tool: str) -> Optional[int]:
    """Give the bits, or None where the tool does not answer; OSError where it cannot start."""
    text = vcgencmd.ask(tool, "get_throttled")
    match = re.search(r"throttled=(?:0x)?([0-9a-fA-F]{1,8})\b", text or "")
    return int(match.group(1), 16) if match else None
