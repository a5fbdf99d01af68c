"""Clock, temperature and throttling of a board; absent on machines without them.

Source: Documentation/admin-guide/pm/cpufreq.rst, sysfs-class-thermal; the bits of
get_throttled are Raspberry Pi firmware's (bit 0 under-voltage, 1 frequency
capped, 2 throttled, 3 soft temperature limit; 16–19 the same since boot).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.kinds.sources.interface import NOTHING, Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
"""Of most boards; `board.throttled_source` says where it is on this one."""
ZONE = "/sys/class/thermal/thermal_zone0"


class Board:
    """Board sensors at 1 Hz."""

    name = "board"
    needs: Needs = NOTHING
    derived: Mapping[str, str] = MappingProxyType({"throttled.gained": "flags"})
    on_demand = False

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Clock of CPU 0, the processor's thermal zone, firmware's throttle bits."""
        rate = min(hz, 1.0)
        # of a record from before the facts said it
        source = str(facts.get("board.throttled_source") or THROTTLED)
        # the firmware driver prints hexadecimal without a prefix
        throttled: Read = {
            "id": "board.throttled",
            "path": source,
            "hz": rate,
            "pick": {"hex": True},
        }
        if not source.startswith("/sys/"):
            throttled |= {"path": "", "pick": {"vcgencmd": source}}
        return [
            {
                "id": "board.frequency",
                "path": "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
                "hz": rate,
                "pick": {"int": True},
            },
            {
                "id": "board.temperature",
                "path": f"{facts.get('thermal.zone') or ZONE}/temp",
                "hz": rate,
                "pick": {"int": True},
            },
            throttled,
        ]

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Board quantities."""
        del facts
        return {
            "frequency": Field("board.frequency", "Hz", "clock of CPU 0", 1000.0),
            "temperature": Field(
                "board.temperature", "°C", "thermal zone of the processor, else the first", 0.001
            ),
            "throttled": Field("board.throttled", "flags", "firmware's throttle bits"),
        }


KIND = Board()
