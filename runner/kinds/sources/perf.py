"""Hardware and software counters of the workload: `perf.instructions`, `perf.page_faults`.

Read by the agent itself with perf_event_open(2): no program has to be installed. They are
read only where a spec names them. A board or virtual machine without a performance
monitoring unit has the software ones alone; the others are absent, with that reason.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.host.sample.perf import EVENTS
from runner.kinds.sources.interface import OF_WORKLOAD, Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs
    from runner.records.program import Pick

NS: Final = 1e-9


class Perf:
    """Counters of the workload's threads, at 1 Hz and at the ends of every step."""

    name = "perf"
    needs: Needs = OF_WORKLOAD
    derived: Mapping[str, str] = MappingProxyType({})
    on_demand = True

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """One read for all counters."""
        del facts
        pick: Pick = {"perf": list(EVENTS)}
        return [{"id": "perf", "path": "{pid}", "hz": min(hz, 1.0), "pick": pick}]

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Increases over a step."""
        del facts
        return {
            name: Field(
                f"perf.{name}",
                "s" if name == "task_clock" else "1",
                f"{name.replace('_', ' ')} of the workload",
                NS if name == "task_clock" else 1.0,
                "counter",
            )
            for name in EVENTS
        }


KIND = Perf()
