"""When requests come: ramps, spikes, the times of a file, think time of a closed loop."""

import hashlib
from bisect import bisect_left
from functools import cached_property
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.errors import SpecError
from runner.records.quantities import Quantity
from runner.records.steps import Shape
from runner.spec.base import Bare, Duration, Model, Rate, Text, fault

MOST_TIMES = 200_000
"""Arrivals of one file: they are part of the record, which has at most 1 MiB of them."""


def _two(value: object) -> object:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise fault("ramp", "has two rates, the first and the last: write [0, 500/s]")
    return value


Ramp = Annotated[tuple[Rate, Rate], BeforeValidator(_two, json_schema_input_type=list[Rate])]


def _low_high(value: object) -> object:
    two = value if isinstance(value, (list, tuple)) else (value, value)
    if len(two) != 2:
        raise fault("think", "is one pause, or the shortest and the longest: write [50ms, 150ms]")
    return two


def _pauses(value: tuple[Quantity, Quantity]) -> tuple[Quantity, Quantity]:
    low, high = value
    if low.exact > high.exact:
        raise fault("think", f"the shortest pause, {low}, is above the longest, {high}")
    if not high.exact:
        raise fault("think", "pauses for 0s: leave it out")
    return value


Think = Annotated[
    tuple[Duration, Duration],
    BeforeValidator(_low_high, json_schema_input_type=Duration | list[Duration]),
    AfterValidator(_pauses),
]


class Spike(Model):
    """A base rate, and for a while another one."""

    base: Rate = Field(description="Requests per second before and after it")
    peak: Rate = Field(description="Requests per second while it lasts")
    at: Duration = Field(description="When it begins, from the start of the step on")
    for_: Duration = Field(alias="for", description="How long it lasts")

    @model_validator(mode="after")
    def _lasts(self) -> "Spike":
        if not self.for_.exact:
            raise fault("spike", "for: lasts 0s")
        if self.base == self.peak:
            raise fault("spike", "base and peak are the same rate: say rate")
        return self


class Arrivals(Bare):
    """Times at which requests are to be sent; a bare text is the file's path."""

    bare = "file"

    file: Text = Field(description="File beside the spec, at most 1 MiB: one time a line, rising")
    times: Text | None = Field(
        None, description="Its lines as they were read: runner writes them into the record"
    )

    @model_validator(mode="after")
    def _rising(self) -> "Arrivals":
        if self.times is None:
            return self
        last = 0.0
        for number, line in enumerate(self.times.split("\n"), 1):
            at = _second(line)
            if at is None:
                raise fault("arrivals", f"{self.file}, line {number}: `{line[:40]}` is no time: "
                            "seconds since the start of the step, as 1.25")  # fmt: skip
            if at < last:
                message = f"{self.file}, line {number}: {at:g} s comes after {last:g} s: sort them"
                raise fault("arrivals", message)
            last = at
        if len(self.seconds) > MOST_TIMES:
            raise fault("arrivals", f"{self.file} has {len(self.seconds)} times, "
                        f"and {MOST_TIMES} are the most")  # fmt: skip
        return self

    @cached_property
    def seconds(self) -> tuple[float, ...]:
        """The times; SpecError where nobody has read them."""
        if self.times is None:
            raise SpecError(f"arrivals: {self.file} was not read", fix="give the spec by its path")
        return tuple(float(line) for line in self.times.split("\n"))

    @property
    def name(self) -> str:
        """What the file is called on a host: by its content."""
        digest = hashlib.sha256((self.times or "").encode()).hexdigest()
        return f"arrivals-{digest[:16]}.txt"

    def most_within(self, seconds: float) -> int:
        """Give the most arrivals in any span of so many seconds."""
        times = self.seconds
        return max(bisect_left(times, at + seconds) - i for i, at in enumerate(times))


def _second(line: str) -> float | None:
    """Read a time that is plain digits: not `nan`, not `1e999`."""
    text = line.strip()
    plain = text.replace(".", "", 1)
    return float(text) if plain.isascii() and plain.isdigit() and len(text) < 40 else None


def points(ramp: tuple[Rate, Rate] | None, spike: Spike | None, duration_s: float) -> Shape:
    """Give (second, rate) along the step, joined by straight lines; a fault where it does not fit.

    A jump is two rates at one time.
    """
    if ramp is not None:
        found: Shape = ((0.0, ramp[0].per_second), (duration_s, ramp[1].per_second))
        if not found[0][1] + found[1][1]:
            raise fault("ramp", "from 0/s to 0/s sends nothing")
        return found
    if spike is None:
        return ()
    begin, end = spike.at.seconds, spike.at.seconds + spike.for_.seconds
    if end > duration_s:
        raise fault("spike", f"ends after {end:g} s, and the step after {duration_s:g} s")
    base, peak = spike.base.per_second, spike.peak.per_second
    return ((0.0, base), (begin, base), (begin, peak), (end, peak), (end, base), (duration_s, base))


def area(shape: Shape) -> float:
    """Give the requests that a shape asks for."""
    return sum((t1 - t0) * (r0 + r1) / 2 for (t0, r0), (t1, r1) in pairwise(shape))
