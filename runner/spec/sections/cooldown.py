"""A pause between steps or trials."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from runner.records.quantities import parse
from runner.spec.base import MAX_COUNT, NUMBER, Duration, Model, Temperature


class Until(Model):
    """What has to be so before the next step; all that are given."""

    time_wait_below: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] | None = None
    temperature_below: Temperature | None = None
    load_below: Annotated[float, Field(gt=0), NUMBER] | None = None


class Cooldown(Model):
    """A pause: a fixed time, or until something is so."""

    until: Until = Until.model_construct()
    at_least: Duration = parse("0s")
    at_most: Duration = parse("60s")


def _cooldown(value: object) -> object:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"at_least": value, "at_most": value}
    return value


CooldownOf = Annotated[
    Cooldown, BeforeValidator(_cooldown, json_schema_input_type=str | dict[str, object])
]
