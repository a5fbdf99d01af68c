"""What was asked of one step of a load, from the planner to the generator and in a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Expect = tuple[tuple[int, int], ...]
"""Ranges of HTTP statuses, both ends in."""
SUCCESS: Final[Expect] = ((200, 299),)


Shape = tuple[tuple[float, float], ...]
"""A rate over time: (second, requests per second), joined by straight lines."""

SkipBy = Literal["items", "share", "seconds"]


@dataclass(frozen=True)
class Asked:
    """One number of a step that is made of many printed ones: every match, item or row.

    Also in a record, of the generator `command`.
    """

    name: str
    """What it is called among the numbers of a step."""
    source: str
    """`stdout.regex`, `stdout.json.runs.*.ms`, `stdout.jsonl.ms`, `stdout.csv.ms`."""
    pattern: str = ""
    statistic: str = "last"
    skip: float = 0.0
    """So many of the first are thrown away."""
    skip_by: SkipBy = "items"
    t: str = ""
    """Of a series: where its time stands in an item (a group, a path, a column)."""
    v: str = ""
    t_size: float = 1.0
    """Seconds that one of its time is."""
    size: float = 1.0
    """Base units that one of what is printed is; of a metric 1, which knows its unit itself."""


@dataclass(frozen=True)
class LoadStep:
    """One interval of a load, as the planner wants it."""

    url: str
    connections: int
    duration_s: float
    threads: int
    """In a record: those that were used."""
    timeout_s: float = 2.0
    rate: float | None = None
    """Of a shape or a file of times the mean."""
    argv: tuple[str, ...] = ()
    expect: Expect = SUCCESS
    """Statuses of good answers."""
    numbers: tuple[Asked, ...] = ()
    """What is looked for in what the generator `command` prints; empty: its last JSON object."""
    shape: Shape = ()
    """Of a ramp or a spike: the rate over the step's time."""
    arrivals: str = ""
    """File in the trial's folder with the time of each request, instead of a rate."""
    share: tuple[int, int] = (0, 1)
    """(k, n): of the file's times every n-th from the k-th on, where n hosts make the load."""

    think_s: tuple[float, float] = (0.0, 0.0)
    """Of a closed loop: the shortest and the longest pause before a request."""

    @property
    def thinks_s(self) -> float:
        """The mean pause before a request."""
        return sum(self.think_s) / 2

    @property
    def shaped(self) -> bool:
        """Whether its requests do not come at one rate."""
        return bool(self.shape or self.arrivals)


@dataclass(frozen=True)
class StepPlan:
    """What was asked of one step, as the analysis needs it; `load` is None where none came."""

    index: int
    name: str
    connections: int | None
    generator: str | None = None
    load: LoadStep | None = None
    warmup_s: float | None = None
    """None in a record made before it was kept."""
