"""Energy that a host draws, by what it has: RAPL, meters, power sensors of hwmon, a Pi 5's PMIC.

A counter is read at both ends of a step and loses nothing between; of a power sensor the mean over
its samples at 1 Hz is taken times the step's duration. What is measured is what the sensor is on:
a package without its memory, a PMIC's outputs without the USB ports. The facts name it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources.interface import Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

MICRO: Final = 1e-6


class Energy:
    """Counters and sensors at 1 Hz; `joules`, `power` and `per_good` are made of them."""

    name = "energy"
    needs: Needs = MappingProxyType({"per_good": ("load",)})
    derived: Mapping[str, str] = MappingProxyType({"joules": "J", "power": "W", "per_good": "J"})
    on_demand = True

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Give one read for each counter or sensor that the facts name."""
        rate = min(hz, 1.0)
        reads: list[Read] = [
            {"id": f"energy.{kind}{number}", "path": path, "hz": rate, "pick": {"int": True}}
            for kind, paths in _files(facts)
            for number, path in enumerate(paths)
        ]
        tool = facts.get("energy.pmic")
        if tool:
            reads.append({"id": "energy.pmic", "path": "", "hz": rate, "pick": {"pmic": str(tool)}})
        return reads

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """What each counter and sensor says; none where nothing is known of the host."""
        fields = {}
        for kind, paths in _files(facts):
            for number, path in enumerate(paths):
                name = f"{kind}{number}"
                fields[name] = (
                    Field(f"energy.{name}", "J", path, MICRO, "counter")
                    if kind == "counter"
                    else Field(f"energy.{name}", "W", path, MICRO)
                )
        if facts.get("energy.pmic"):
            fields["pmic"] = Field("energy.pmic", "W", "outputs of the board's PMIC")
        return fields


def _files(facts: Mapping[str, object]) -> list[tuple[str, list[str]]]:
    files = []
    for kind, fact in (("counter", "energy.counters"), ("sensor", "energy.sensors")):
        paths = facts.get(fact)
        files.append((kind, [str(path) for path in paths] if isinstance(paths, list) else []))
    return files


KIND = Energy()
