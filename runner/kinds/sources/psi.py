"""Pressure stall information of the host. Source: Documentation/accounting/psi.rst."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.kinds.sources.interface import NOTHING, Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

LINES = {"memory": ("some", "full"), "cpu": ("some",), "io": ("some", "full")}


class Psi:
    """Stalled time (µs counters), per resource."""

    name = "psi"
    needs: Needs = NOTHING
    derived: Mapping[str, str] = MappingProxyType({})
    on_demand = False

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Three files at 1 Hz at most: totals lose nothing between reads."""
        del facts
        return [
            {
                "id": f"psi.{kind}",
                "path": f"/proc/pressure/{kind}",
                "hz": min(hz, 1.0),
                "pick": {"psi": [f"{line}.total" for line in lines]},
            }
            for kind, lines in LINES.items()
        ]

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Stalled seconds."""
        del facts
        return {
            f"{kind}_{line}": Field(
                f"psi.{kind}.{line}.total",
                "s",
                f"time that {line} tasks stalled on {kind}",
                1e-6,
                "counter",
            )
            for kind, lines in LINES.items()
            for line in lines
        }


KIND = Psi()
