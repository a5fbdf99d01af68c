"""Resource limits of the workload, as setrlimit(2) has them."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from runner.records.amounts import long_duration, size
from runner.records.quantities import BYTES, COUNT, TIME, QuantityError, parse
from runner.spec.base import Model, fault

UNLIMITED: Final = "unlimited"
UNBOUND: Final = 1 << 63
"""Stands for `unlimited` where numbers are compared, in facts too."""
_SAID: Final = {
    BYTES: "a size such as 64MiB, or bytes",
    TIME: "whole seconds such as 10s",
    COUNT: "a whole number such as 512",
}


def _reader(dimension: str) -> Callable[[object], int | str]:
    def read(value: Any) -> int | str:
        text = str(value) if not isinstance(value, bool) else "boolean"
        if text == UNLIMITED:
            return text
        try:
            found = parse(value)
        except (QuantityError, TypeError) as wrong:
            raise fault("quantity", str(wrong)) from None
        known = found.dimension in {COUNT, dimension}
        if not known or found.exact.denominator != 1 or not 0 <= found.exact < UNBOUND:
            said = _SAID[dimension]
            raise fault("quantity", f"`{text}` is not a limit here: {said}, or {UNLIMITED}")
        return int(found.exact)

    return read


def _pair(value: object) -> object:
    if isinstance(value, Mapping):
        return value
    return {"soft": value, "hard": value}


def _value(dimension: str) -> object:
    return PlainValidator(_reader(dimension)), WithJsonSchema({"type": ["integer", "string"]})


class Limit(Model):
    """A limit on a number of things; a lone number is both soft and hard."""

    soft: Annotated[int | str, *_value(COUNT)]
    hard: Annotated[int | str, *_value(COUNT)]

    @model_validator(mode="after")
    def _order(self) -> "Limit":
        if self.numbers[0] > self.numbers[1]:
            raise fault("limit", f"the soft limit {self.soft} is above the hard one, {self.hard}")
        return self

    def shown(self) -> str:
        """Say it for a reader: once where both are the same."""
        both = dict.fromkeys(self._shown(end) for end in (self.soft, self.hard))
        return next(iter(both)) if len(both) == 1 else "soft: {}, hard: {}".format(*both)

    def _shown(self, end: int | str) -> str:
        return str(end)

    @property
    def numbers(self) -> tuple[int, int]:
        """Soft and hard; one that is unlimited is above every number."""
        soft, hard = (UNBOUND if x == UNLIMITED else int(x) for x in (self.soft, self.hard))
        return soft, hard


class SizeLimit(Limit):
    """A limit in bytes; a lone size is both soft and hard."""

    soft: Annotated[int | str, *_value(BYTES)]
    hard: Annotated[int | str, *_value(BYTES)]

    def _shown(self, end: int | str) -> str:
        return size(end) if isinstance(end, int) else end


class TimeLimit(Limit):
    """A limit in seconds; a lone time is both soft and hard."""

    soft: Annotated[int | str, *_value(TIME)]
    hard: Annotated[int | str, *_value(TIME)]

    def _shown(self, end: int | str) -> str:
        return long_duration(end) if isinstance(end, int) else end


_READ = BeforeValidator(_pair, json_schema_input_type=int | str | dict[str, int | str])
LimitOf = Annotated[Limit, _READ]
SizeLimitOf = Annotated[SizeLimit, _READ]
TimeLimitOf = Annotated[TimeLimit, _READ]


class Limits(Model):
    """Resource limits of the workload (setrlimit); sizes count bytes here, never KiB."""

    address_space: SizeLimitOf | None = Field(None, alias="as", description="Address space")
    core: SizeLimitOf | None = Field(None, description="Core file")
    cpu: TimeLimitOf | None = Field(None, description="CPU time: SIGXCPU at soft, SIGKILL at hard")
    data: SizeLimitOf | None = Field(None, description="Data segment and private mappings")
    fsize: SizeLimitOf | None = Field(None, description="Largest file that it may write")
    memlock: SizeLimitOf | None = Field(None, description="Locked memory")
    msgqueue: SizeLimitOf | None = Field(None, description="POSIX message queues of the user")
    nofile: LimitOf | None = Field(None, description="Open files")
    nproc: LimitOf | None = Field(None, description="Processes and threads of the user")
    rtprio: LimitOf | None = Field(None, description="Highest real-time priority")
    sigpending: LimitOf | None = Field(None, description="Queued signals of the user")
    stack: SizeLimitOf | None = Field(None, description="Stack of the main thread")

    def shown(self) -> dict[str, str]:
        """Every limit that is declared, for a reader: sizes and times in their unit."""
        return {name: limit.shown() for name, limit in self.asked().items()}

    def asked(self) -> dict[str, Limit]:
        """Every limit that is declared, by its name in the spec."""
        found = {
            field.alias or name: getattr(self, name)
            for name, field in type(self).model_fields.items()
        }
        return {name: limit for name, limit in found.items() if limit is not None}
