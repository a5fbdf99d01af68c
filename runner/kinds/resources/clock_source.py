"""clock_source: what the kernel reads the time from."""

from typing import Annotated

from pydantic import StringConstraints

from runner.kinds.resources.interface import (
    UNSET,
    Cell,
    Facts,
    Json,
    Planned,
    Refused,
    Root,
    Skipped,
    Values,
)
from runner.records.plain import Json as PlainJson

ROOT = "/sys/devices/system/clocksource/clocksource0"
_NOW, _MENU = "clock_source:current", "clock_source:available"


class ClockSourceModel(Root[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$")]]):
    """`clock_source: arch_sys_counter`."""


class ClockSource:
    """The kernel's clock source."""

    name = "clock_source"
    doc = "the kernel's clock source: `arch_sys_counter`, `tsc`"
    absent = "skipped without clocksource0, refused when not on the kernel's list"
    fixed = ""
    sets: tuple[str, ...] = ("clock.source",)
    needs_root = True
    Model = ClockSourceModel

    def candidates(self, payload: ClockSourceModel) -> list[Json]:  # noqa: ARG002 - the same two files
        """Read what is used and what there is."""
        files = {_NOW: "current_clocksource", _MENU: "available_clocksource"}
        return [
            Cell(id=this, via="pseudo", path=f"{ROOT}/{file}", form="words").to_json()
            for this, file in files.items()
        ]

    def plan(self, payload: ClockSourceModel, facts: Facts, values: Values) -> Planned:  # noqa: ARG002 - kernel files only
        """One cell."""
        if values.get(_NOW, UNSET) is None:
            return Skipped("the kernel shows no clock source")
        menu = values.get(_MENU)
        if isinstance(menu, str) and payload.root not in menu.split():
            return Refused(
                f"the host has no clock source {payload.root}",
                f"it offers {', '.join(menu.split())}",
            )
        path = f"{ROOT}/current_clocksource"
        return [Cell(id=_NOW, via="pseudo", path=path, want=payload.root, form="words")]

    def place(self, fact: str) -> tuple[str, ...] | None:
        """Of the one fact."""
        return ("system", self.name) if fact in self.sets else None

    def of_fact(self, fact: str, value: PlainJson) -> PlainJson:  # noqa: ARG002 - it sets one fact
        """Declare the source by its name."""
        return value


KIND = ClockSource()
