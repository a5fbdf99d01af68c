"""Why there is no board."""

from __future__ import annotations

from runner.errors import HostUnreachable


class BoardError(HostUnreachable):
    """A virtual board cannot be built, started or reached (exit 4)."""
