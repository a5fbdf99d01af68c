"""cpu_governor: how the kernel chooses the clock, for every cpufreq policy.

What is put back is what was read, never a presumed default: `powersave` holds a
Raspberry Pi at 600 MHz.
"""

from typing import Annotated

from pydantic import StringConstraints

from runner.kinds.resources import _cpufreq
from runner.kinds.resources.interface import Cell, Facts, Json, Planned, Refused, Root, Values
from runner.records.plain import Json as PlainJson

Governor = Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")]


class GovernorModel(Root[Governor | dict[str, Governor]]):
    """`cpu_governor: performance`, or by policy: `{policy0: performance}`."""


class CpuGovernor:
    """Governor of each policy."""

    name = "cpu_governor"
    doc = "cpufreq governor of every policy: `performance`, or `{policy0: performance}`"
    absent = "skipped where the host has no cpufreq"
    fixed = ""
    sets: tuple[str, ...] = ("cpu.governor", "cpu.policies")
    needs_root = True
    Model = GovernorModel

    _FILE = "scaling_governor"
    _MENU = "scaling_available_governors"

    def _cell(self, policy: str, file: str) -> Cell:
        return Cell(
            id=f"cpu_governor:{policy}/{file}",
            via="pseudo",
            path=f"{_cpufreq.ROOT}/{policy}/{file}",
        )

    def candidates(self, payload: GovernorModel) -> list[Json]:
        """Read governor and menu of every policy there may be."""
        names = payload.root if isinstance(payload.root, dict) else _cpufreq.PROBED
        return [self._cell(p, f).to_json() for p in names for f in (self._FILE, self._MENU)]

    def plan(self, payload: GovernorModel, facts: Facts, values: Values) -> Planned:
        """One cell a policy; a governor that the kernel does not offer is refused."""
        policies = _cpufreq.policies(facts, values, self.name, self._FILE)
        if not isinstance(policies, list):
            return policies
        declared = payload.root
        wanted = declared if isinstance(declared, dict) else dict.fromkeys(policies, declared)
        cells: list[Cell] = []
        for policy, governor in wanted.items():
            if policy not in policies:
                return Refused(f"no cpufreq {policy} on the host", f"it has {', '.join(policies)}")
            menu = values.get(f"cpu_governor:{policy}/{self._MENU}")
            if isinstance(menu, str) and governor not in menu.split():
                return Refused(
                    f"{policy} has no governor {governor}", f"it offers {', '.join(menu.split())}"
                )
            cell = self._cell(policy, self._FILE)
            cells.append(Cell(id=cell.id, via=cell.via, path=cell.path, want=governor))
        return cells

    def place(self, fact: str) -> tuple[str, ...] | None:
        """Of the governor that all policies had."""
        return ("system", self.name) if fact == "cpu.governor" else None

    def of_fact(self, fact: str, value: PlainJson) -> PlainJson:  # noqa: ARG002 - one fact alone
        """Declare the governor by its name."""
        return value


KIND = CpuGovernor()
