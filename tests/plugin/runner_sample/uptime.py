"""uptime: how long the host has been up, and how long its CPUs were idle. Source: proc(5)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from runner.kinds.sources.interface import Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping


class Uptime:
    """Two numbers of one file."""

    name = "uptime"
    derived: Mapping[str, str] = MappingProxyType({})
    on_demand = True

    def reads(self, facts: Mapping[str, Any], *, hz: float) -> list[Read]:
        """One file."""
        del facts
        return [{"id": "uptime.file", "path": "/proc/uptime", "hz": hz, "pick": {"words": [0, 1]}}]

    def fields(self, facts: Mapping[str, Any]) -> Mapping[str, Field]:
        """Seconds."""
        del facts
        return {
            "up": Field("uptime.file.0", "s", "time since the host was booted"),
            "idle": Field("uptime.file.1", "s", "time of all CPUs in which nothing ran"),
        }


KIND = Uptime()
