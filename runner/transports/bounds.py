"""How much of a host is read, and how long its silence may last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a line, and how long silence may be; `on_quiet` is told of it before."""

    host: str = "the host"
    line_bytes: int = 32 << 20
    quiet_s: float = 15.0
    silent_s: float = 60.0
    on_quiet: Callable[[float], None] | None = None
