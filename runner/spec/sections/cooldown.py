"""A pause between steps or trials."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from runner.records.quantities import parse
from runner.spec.base import MAX_COUNT, NUMBER, Duration, Model, Temperature


class Until(Model):
    """What has to be so before the next step; all that are given."""

    time_wait_below: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] | None = Field(
        None, description="Sockets of the server's host in TIME_WAIT"
    )
    temperature_below: Temperature | None = Field(
        None, description="Of the board's processor, as 60°C"
    )
    load_below: Annotated[float, Field(gt=0), NUMBER] | None = Field(
        None, description="Load average of the last minute"
    )


class Cooldown(Model):
    """A pause: a fixed time, or until something is so."""

    until: Until = Field(
        Until.model_construct(), description="What has to be so; all that are given"
    )
    at_least: Duration = Field(parse("0s"), description="The pause is never shorter")
    at_most: Duration = Field(parse("60s"), description="The pause is never longer")


def _cooldown(value: object) -> object:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"at_least": value, "at_most": value}
    return value


CooldownOf = Annotated[Cooldown, BeforeValidator(_cooldown, json_schema_input_type=str | Cooldown)]
