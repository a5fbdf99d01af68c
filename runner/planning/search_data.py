"""What a capacity search is told, the trials it has made, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.planning.search_fit import Fit
    from runner.spec.design import Search as Asked


@dataclass(frozen=True)
class Params:
    """What is looked for, fixed before the data."""

    low: int
    high: int
    trials: int = 5
    """n of `confirm`."""
    healthy: int = 3
    """k of `confirm`."""
    resolution: float = 0.02
    """Below 1 a share of the level, from 1 on a number of levels."""
    start: int | None = None
    """First level tried; `low` where nothing is said."""
    max_trials: int = 200
    lowest: bool = False
    """Healthy from the level on upwards: the search for the smallest."""
    sentinels: bool = False
    """Whether to look afterwards if health depends on more than the level."""
    grain: int = 1
    """Of what levels are multiples; `low` and `high` are."""
    unit: str = "1"
    """Unit of levels, for messages."""

    def in_grains(self) -> Params:
        """Give the same with levels that count grains."""
        if self.grain == 1:
            return self
        grain, share = self.grain, self.resolution < 1
        return replace(
            self,
            low=self.low // grain,
            high=self.high // grain,
            start=None if self.start is None else max(1, self.start // grain),
            resolution=self.resolution if share else max(1.0, self.resolution / grain),
        )

    def step_at(self, level: int) -> int:
        """Give the distance of last passing and first failing that is near enough."""
        if self.resolution >= 1:
            return int(self.resolution)
        return max(1, int(self.resolution * level))


@dataclass(frozen=True)
class State:
    """All trials so far, in order."""

    trials: tuple[tuple[int, bool], ...] = ()
    settled: int = 0
    """How many of them found the level; the others look whether it depends on more. 0 before."""


@dataclass(frozen=True)
class Done:
    """What the search found."""

    level: int | None
    """Highest level with P(healthy) >= 1/2 (with n of n: the last passing); None at a bound."""
    last_passing: int | None
    first_failing: int | None
    table: tuple[tuple[int, int, int], ...]
    """(level, healthy, trials), rising."""
    trials: int
    at_bound: str
    """`low`, `high` or empty: everything from the bound on was alike."""
    monotone: bool
    inversions: tuple[tuple[int, int], ...]
    """(failing level, passing level beyond it), where chance hardly explains it."""
    fitted: Fit | None
    why: str = ""
    dips: tuple[int, ...] = ()
    """Levels below the one found that failed when they were tried after it."""
    effects: tuple[str, ...] = ()
    """What health depended on beside the level, in words."""


def params_of(asked: Asked) -> Params:
    """Give what a spec's search looks for."""
    return Params(
        low=asked.low,
        high=asked.high,
        trials=asked.confirm.trials,
        healthy=asked.confirm.healthy,
        resolution=float(asked.resolution.exact),
        start=int(asked.start.exact) if asked.start else None,
        max_trials=asked.max_trials,
        lowest=asked.goal.direction == "lowest",
        sentinels=asked.sentinels is not False,
        grain=asked.grain,
        unit="B" if asked.in_bytes else "1",
    )


def finer(state: State, grain: int) -> State:
    """Give trials by how many grains their levels are."""
    if grain == 1:
        return state
    return State(tuple((level // grain, good) for level, good in state.trials), state.settled)


def coarser(done: Done, grain: int) -> Done:
    """Give a result in the unit of the spec again."""

    def times(level: int | None) -> int | None:
        return None if level is None else level * grain

    curve = done.fitted
    if curve is not None:
        curve = replace(
            curve, half=curve.half * grain, low=curve.low * grain, high=curve.high * grain
        )
    return replace(
        done,
        level=times(done.level),
        last_passing=times(done.last_passing),
        first_failing=times(done.first_failing),
        table=tuple((level * grain, good, of) for level, good, of in done.table),
        inversions=tuple((a * grain, b * grain) for a, b in done.inversions),
        dips=tuple(level * grain for level in done.dips),
        fitted=curve,
    )
