"""aslr: randomisation of addresses on the whole host (a workload has its own switch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator

from runner.kinds.resources.interface import Cell, Facts, Json, Root, Values, no_switch

if TYPE_CHECKING:
    from runner.records.plain import Json as PlainJson

_VALUES = {"off": "0", "conservative": "1", "full": "2"}


def _word(value: object) -> object:
    if isinstance(value, bool):
        return no_switch(value, "full", "off")
    return value


class AslrModel(Root[Annotated[Literal["off", "conservative", "full"], BeforeValidator(_word)]]):
    """`aslr: "off"`."""


class Aslr:
    """Address space layout randomisation."""

    name = "aslr"
    doc = 'address randomisation of the host: `"off"`, `conservative` or `full`'
    absent = "always there"
    fixed = ""
    sets: tuple[str, ...] = ("aslr", "sysctl.kernel.randomize_va_space")
    needs_root = True
    Model = AslrModel

    def candidates(self, payload: AslrModel) -> list[Json]:
        """Read the one key."""
        return [self.plan(payload, {}, {})[0].asking().to_json()]

    def plan(self, payload: AslrModel, facts: Facts, values: Values) -> list[Cell]:  # noqa: ARG002 - one key everywhere
        """One cell."""
        path = "/proc/sys/kernel/randomize_va_space"
        want = _VALUES[payload.root]
        return [Cell(id="aslr:host", via="pseudo", path=path, want=want, form="integer")]

    def place(self, fact: str) -> tuple[str, ...] | None:
        """Both facts are the one key."""
        return ("system", self.name) if fact in self.sets else None

    def of_fact(self, fact: str, value: PlainJson) -> PlainJson:  # noqa: ARG002 - both are the one key
        """Name the word of the kernel's number."""
        return next((word for word, number in _VALUES.items() if number == str(value)), None)


KIND = Aslr()
