"""Levels that are not listed one by one: a range of numbers, or the files that match a pattern."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from pydantic import Field, model_validator

from runner.spec.base import NUMBER, Model, Text, fault

_Level = Annotated[Text | int | float, NUMBER]

MOST: Final = 1_000
"""Levels that a range may make."""
_AMOUNT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([A-Za-z%°µ/]*)\s*")


class LevelRange(Model):
    """Numbers from one to another, each `times` or `step` more than the one before."""

    start: _Level = Field(alias="from", description="First level, as 256 or 8MiB")
    to: _Level = Field(description="Last level, where the range reaches it")
    times: Annotated[float, Field(gt=1), NUMBER] | None = Field(
        None, description="Factor between levels"
    )
    step: _Level | None = Field(None, description="Difference between levels")

    @model_validator(mode="after")
    def _whole(self) -> "LevelRange":
        if (self.times is None) == (self.step is None):
            raise fault("levels", "a range needs exactly one of `times` and `step`")
        list(self.levels())
        return self

    def levels(self) -> Iterator[str]:
        """Give the levels as texts, with the unit of `from`."""
        first, unit = _read(self.start)
        last, other = _read(self.to)
        step, of = _read(self.step) if self.step is not None else (Decimal(0), unit)
        units = {word for word in (unit, other, of) if word}
        if len(units) > 1:
            raise fault("levels", f"a range has one unit, not {' and '.join(sorted(units))}")
        if last < first:
            raise fault("levels", f"the range from {self.start} to {self.to} is empty")
        if self.times is not None and first <= 0:
            raise fault("levels", "a range by `times` begins above 0")
        if self.step is not None and step <= 0:
            raise fault("levels", "`step` has to be above 0")
        value, count = first, 0
        while value <= last:
            count += 1
            if count > MOST:
                raise fault("levels", f"a range of more than {MOST} levels")
            yield f"{_plain(value)}{unit or other or of}"
            value = value * Decimal(str(self.times)) if self.times is not None else value + step


class Changes(Model):
    """What a level changes, as an editor is told: each section is laid over the spec's own."""

    system: dict[str, object] | None = Field(None, description="Laid over the spec's `system`")
    build: dict[str, object] | None = Field(None, description="Laid over the spec's `build`")
    workload: dict[str, object] | None = Field(None, description="Laid over the spec's `workload`")
    load: dict[str, object] | None = Field(None, description="Laid over the spec's `load`")
    set: dict[str, str | int | float | bool] | None = Field(
        None, description="Words and what is filled in for each: {size} of `set: {size: 4}`"
    )


class LevelFiles(Model):
    """The files beside the spec that match a pattern, in the order of their names."""

    glob: Text = Field(description="Pattern below the spec's folder, as programs/*.c")


def is_range(value: object) -> bool:
    """Whether what stands as a factor is a range, and not levels of these names."""
    keys = set(value) if isinstance(value, Mapping) else set()
    return {"from", "to"} <= keys and not any(
        isinstance(item, Mapping) or item is None
        for item in dict(value).values()  # type: ignore[call-overload]
    )


def is_files(value: object) -> bool:
    """Whether what stands as a factor is a pattern of files."""
    return isinstance(value, Mapping) and set(value) == {"glob"} and isinstance(value["glob"], str)


def _read(value: object) -> tuple[Decimal, str]:
    match = _AMOUNT.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise fault("levels", f"`{value}` is not a number with a unit: write 256 or 8MiB")
    try:
        return Decimal(match[1]), match[2]
    except InvalidOperation:  # pragma: no cover - the pattern admits plain numbers only
        raise fault("levels", f"`{value}` is not a number") from None


def _plain(value: Decimal) -> str:
    text = f"{round(value, 9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
