"""Steps of a load: listed one by one, or by a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from runner.kinds.generators import in_flight
from runner.records.quantities import parse
from runner.records.steps import Shape
from runner.spec.base import MAX_COUNT, NUMBER, Duration, Model, Rate, Text, fault
from runner.spec.sections.shape import Arrivals, Ramp, Spike, area

MAX_STEPS = 1000


class Step(Model):
    """One interval of a load as written; what it leaves out comes from the load."""

    connections: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] | None = Field(
        None, description="Connections of this step"
    )
    rate: Rate | None = Field(
        None, description="Requests per second of this step, of an open model"
    )
    ramp: Ramp | None = Field(
        None, description="Instead of rate: [0, 500/s], from one to the other in a straight line"
    )
    spike: Spike | None = Field(None, description="Instead of rate: a base rate, for a while more")
    arrivals: Arrivals | None = Field(
        None,
        description="Instead of rate: file beside the spec with a time a line, in seconds "
        "since the start of the step",
    )
    duration: Duration | None = Field(
        None, description="How long it is measured; else load.measure"
    )
    warmup: Duration | None = Field(None, description="Before it is measured; else load.warmup")
    threads: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] | None = Field(
        None, description="Of the generator; else load.threads"
    )
    url: Text | None = Field(None, description="What it asks for; else load.url")
    name: Text | None = Field(
        None, description="What tables and `at` call it; else its connections or rate"
    )

    @model_validator(mode="after")
    def _one_rate(self) -> "Step":
        given = [key for key in ("rate", *SHAPES) if getattr(self, key) is not None]
        if len(given) > 1:
            raise fault("step", f"{given[0]} and {given[1]} both say when requests come: say one")
        return self

    @property
    def shape_name(self) -> str:
        """What it is called in tables, where it says no name."""
        if self.ramp is not None:
            return "-".join(f"{rate.per_second:g}" for rate in self.ramp) + "/s"
        if self.spike is not None:
            return f"{self.spike.base.per_second:g}-{self.spike.peak.per_second:g}/s spike"
        return "" if self.arrivals is None else self.arrivals.file.rpartition("/")[2]

    @property
    def shaped(self) -> str:
        """Which key gives it arrivals that are not of one rate; empty for none."""
        return next((key for key in SHAPES if getattr(self, key) is not None), "")


SHAPES = ("ramp", "spike", "arrivals")


class Ladder(Model):
    """Steps from a rule: geometric with `times`, linear with `by`."""

    start: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] = Field(
        alias="from", description="First level"
    )
    end: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] = Field(
        alias="to", description="No level is above it"
    )
    times: Annotated[float, Field(gt=1), NUMBER] | None = Field(
        None, description="Each level is so many times the one before"
    )
    by: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] | None = Field(
        None, description="Each level is so much more than the one before"
    )
    duration: Duration | None = Field(None, description="How long each step is measured")
    vary: Literal["connections", "rate"] = Field(
        "connections", description="What the levels are of"
    )

    @model_validator(mode="after")
    def _rule(self) -> "Ladder":
        if (self.times is None) == (self.by is None):
            raise fault("ladder", "needs exactly one of times (geometric) and by (linear)")
        if self.end < self.start:
            raise fault("ladder", f"from ({self.start}) is above to ({self.end})")
        if self.by is not None and (self.end - self.start) // self.by >= MAX_STEPS:
            raise fault("ladder", f"gives more than {MAX_STEPS} steps")
        return self

    def levels(self) -> tuple[int, ...]:
        """Levels in rising order, none above `to`, each once."""
        if self.by is not None:
            return tuple(range(self.start, self.end + 1, self.by))
        found: list[int] = []
        level = float(self.start)
        # a factor a hair above 1 would repeat the same whole number without end
        while round(level) <= self.end and len(found) < MAX_STEPS:
            if not found or round(level) > found[-1]:
                found.append(round(level))
            level = max(level * (self.times or 2.0), level + 1e-6)
            if (self.times or 2.0) < 1 + 1 / MAX_STEPS:
                level = max(level, found[-1] + 1.0)
        return tuple(found)


@dataclass(frozen=True)
class ExpandedStep:
    """One step with everything filled in."""

    index: int
    name: str
    connections: int | None
    """None where a search supplies it, or an open model has a rate instead."""
    rate: float | None
    duration_s: float
    warmup_s: float
    threads: int
    url: str
    shape: Shape = ()
    """The rate over the time of the step, where it is not one; `rate` is its mean."""
    arrivals: Arrivals | None = None

    def unfit(self) -> str:
        """Say why its shape does not fit into the step, or nothing."""
        if self.arrivals is not None:
            if self.warmup_s:
                return "a file of times has no rate to warm up at: say `warmup: 0s` beside it"
            if self.arrivals.times is not None and self.arrivals.seconds[-1] >= self.duration_s:
                last = self.arrivals.seconds[-1]
                return f"{self.arrivals.file} goes on to {last:g} s: `duration` has to be longer"
            return ""
        if self.warmup_s and not self.shape[0][1]:
            return "begins at 0/s, which is no rate to warm up at: say `warmup: 0s` beside it"
        if area(self.shape) < 1:
            return "sends less than one request"
        return ""

    def most_waiting(self, timeout_s: float) -> int:
        """Give the most requests of an open model that wait at once, none longer than that."""
        if self.arrivals is not None:
            return self.arrivals.most_within(timeout_s)
        peak = max((rate for _, rate in self.shape), default=self.rate or 0.0)
        return in_flight(peak, timeout_s)


def _steps(value: object) -> object:
    """Take a mapping as a ladder at once: errors then name one form only."""
    if isinstance(value, Mapping):
        return value if isinstance(value, Ladder) else Ladder.model_validate(value)
    return value


StepsOf = Annotated[
    tuple[Step, ...] | Ladder,
    BeforeValidator(_steps, json_schema_input_type=list[Step] | Ladder),
]


def rung(ladder: Ladder, level: int) -> Step:
    """Give the step of one level."""
    if ladder.vary == "rate":
        return Step(rate=parse(f"{level}/s"), duration=ladder.duration)
    # named by what varies, also where one rate is kept
    return Step(name=str(level), connections=level, duration=ladder.duration)
