"""cpu_frequency: bounds of the clock, for every cpufreq policy.

Going up, the upper bound moves first; going down, the lower one: the kernel
refuses (before 5.9) or clamps a lower bound above the upper one.
"""

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    model_validator,
)

from runner.host.cells.normal_forms import integer
from runner.kinds.resources import _cpufreq
from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Refused,
    Root,
    Values,
)
from runner.records.plain import Json as PlainJson
from runner.records.quantities import FREQUENCY, parse_as


def _khz(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        raise ValueError(f"`{value}` has no unit: write {value}MHz or {value}kHz")
    amount = parse_as(FREQUENCY, value).exact / 1000
    if amount.denominator != 1 or amount <= 0:
        raise ValueError(f"`{value}` is not a whole number of kHz")
    return int(amount)


Frequency = Annotated[
    int, BeforeValidator(_khz, json_schema_input_type=str), PlainSerializer("{}kHz".format)
]


class Bounds(Frozen):
    """Lowest and highest clock, in kHz."""

    min: Frequency | None = Field(None, description="lowest clock: 600MHz")
    max: Frequency | None = Field(None, description="highest clock: 1500MHz")

    @model_validator(mode="after")
    def _order(self) -> "Bounds":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


def _both(value: object) -> object:
    return value if isinstance(value, (dict, Bounds)) else {"min": value, "max": value}


class FrequencyModel(
    Root[Annotated[Bounds, BeforeValidator(_both, json_schema_input_type=str | Bounds)]]
):
    """`cpu_frequency: 1500MHz` (both bounds), or `{min: 600MHz, max: 1500MHz}`."""


class CpuFrequency:
    """Bounds of each policy's clock."""

    name = "cpu_frequency"
    doc = "bounds of the clock of every policy: `1500MHz`, or `{min: 600MHz, max: 1500MHz}`"
    absent = "skipped where the host has no cpufreq"
    fixed = ""
    sets: tuple[str, ...] = ("cpu.policies", "cpu.max_khz", "cpu.min_khz")
    needs_root = True
    Model = FrequencyModel

    _FILES = ("scaling_min_freq", "scaling_max_freq", "cpuinfo_min_freq", "cpuinfo_max_freq")

    def _id(self, policy: str, file: str) -> str:
        return f"cpu_frequency:{policy}/{file}"

    def _cell(self, policy: str, file: str, **more: Any) -> Cell:
        path = f"{_cpufreq.ROOT}/{policy}/{file}"
        return Cell(id=self._id(policy, file), via="pseudo", path=path, form="integer", **more)

    def candidates(self, payload: FrequencyModel) -> list[Json]:  # noqa: ARG002 - every bound is needed for the order
        """Read the bounds, and what the hardware can do, of every policy there may be."""
        return [self._cell(p, f).to_json() for p in _cpufreq.PROBED for f in self._FILES]

    def plan(self, payload: FrequencyModel, facts: Facts, values: Values) -> Planned:
        """Two cells a policy, ordered by direction."""
        policies = _cpufreq.policies(facts, values, self.name, self._FILES[0])
        if not isinstance(policies, list):
            return policies
        low, high = payload.root.min, payload.root.max
        cells: list[Cell] = []
        for policy in policies:
            now = {f: self._number(values.get(self._id(policy, f))) for f in self._FILES}
            least, most = now["cpuinfo_min_freq"], now["cpuinfo_max_freq"]
            for bound in (low, high):
                if bound is None or least is None or most is None or least <= bound <= most:
                    continue
                return Refused(
                    f"{policy} cannot run at {bound} kHz", f"it runs from {least} to {most} kHz"
                )
            names = {"scaling_max_freq": high, "scaling_min_freq": low}
            lowest = now["scaling_min_freq"]
            if high is not None and lowest is not None and high < lowest:
                names = {"scaling_min_freq": low, "scaling_max_freq": high}
            previous: tuple[str, ...] = ()
            for file, bound in names.items():
                if bound is not None:
                    cells.append(self._cell(policy, file, want=str(bound), after=previous))
                    previous = (self._id(policy, file),)
        return cells

    @staticmethod
    def _number(value: Any) -> int | None:
        return integer(value) if isinstance(value, str) else None

    def place(self, fact: str) -> tuple[str, ...] | None:
        """Of the bounds that all policies had."""
        bound = {"cpu.min_khz": "min", "cpu.max_khz": "max"}.get(fact)
        return ("system", self.name, bound) if bound else None

    def of_fact(self, fact: str, value: PlainJson) -> PlainJson:  # noqa: ARG002 - both are clocks
        """Declare a bound with its unit."""
        return f"{value}kHz"


KIND = CpuFrequency()
