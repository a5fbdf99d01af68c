"""Capacity search: the highest healthy level, as a pure function of the trials so far.

    bracket   double twice at a time from `start` until a level fails
    bisect    between the highest passing level below and that one
    confirm   both ends by k of n trials, until they hold
    check     once well beyond: a level that passes there is confirmed and reported
    sentinels once more, after the level is found: does health depend on more than the level?

The state IS the record: the list of (level, healthy). What is to be tried next
follows from how often each level was healthy, so a search resumes from its
record, and a trial that was invalid is simply not in it.

A level passes on one healthy trial; one failure is tried again, and two
failures without a healthy trial between count. At the ends k of n decide. A
verdict that turns out wrong moves the bracket back; nothing is ever final
before the end. The level where P(healthy) = 1/2 is fitted to all trials
(`fit`), so it is not tied to the levels that were tried.

Bisecting on one trial a level drifts to where half the *pairs* fail, up to one
transition width too high: Levitt 1971, "Transformed up-down methods in
psychoacoustics", JASA 49, 467-477. Hence the confirmation, and the fit.

Two doublings at a time, since a passing level below is a trial that says little:
half of them are left out, one bisection more is needed, and the level that failed
is mostly far enough beyond the edge to be the `check` as well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.planning import sentinels
from runner.planning.search_data import Done, Params, State, coarser, finer, params_of
from runner.planning.search_fit import Fit, fit, inversions
from runner.records.amounts import amount

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["Done", "Fit", "Params", "Search", "State", "fit", "params_of"]

STRIDE = 4
"""Ratio of the levels on the way to a bracket."""


class Search:
    """One search; holds nothing but its parameters.

    >>> search = Search(Params(1, 64))
    >>> state = State()
    >>> while not isinstance(step := search.next(state), Done):
    ...     state = search.record(state, step, healthy=step <= 40)
    >>> step.last_passing, step.first_failing
    (40, 41)
    """

    def __init__(self, params: Params) -> None:
        if not 0 < params.low < params.high:
            raise ValueError(f"between [{params.low}, {params.high}] has to rise, from above 0")
        if not 0 < params.healthy <= params.trials:
            raise ValueError(f"{params.healthy} of {params.trials} trials cannot be healthy")
        self.grain = params.grain
        self.params = params.in_grains()

    def record(self, state: State, level: int, *, healthy: bool) -> State:
        """Give the state after one more valid trial."""
        settled = state.settled
        looked = self.params.sentinels and not settled and bool(state.trials)
        tried = finer(state, self.grain).trials
        if looked and self._looking(_Tally(self.params, tried)) is None:
            settled = len(state.trials)
        return State((*state.trials, (level, healthy)), settled)

    def next(self, state: State) -> int | Done:
        """Give the level to try next, or the result."""
        if self.grain == 1:
            return self._next(state)
        step = self._next(finer(state, self.grain))
        return step * self.grain if isinstance(step, int) else coarser(step, self.grain)

    def _next(self, state: State) -> int | Done:
        main = state.trials[: state.settled or None]
        tally = _Tally(self.params, main)
        if not state.settled:
            if len(state.trials) >= self.params.max_trials:
                return self._done(tally, state, f"ended after {len(state.trials)} trials")
            step = self._looking(tally)
            if step is not None:
                return step
        good, bad = tally.bracket()
        room = self.params.sentinels and len(state.trials) < self.params.max_trials
        if room and good is not None and bad is not None:
            extra = state.trials[len(main) :]
            step = sentinels.following(main, extra, (good, bad), lowest=self.params.lowest)
            if step is not None:
                return step
        return self._done(tally, state)

    def _looking(self, tally: _Tally) -> int | None:
        """Give the next level on the way to the level looked for; None when it is found."""
        for phase in (self._unsettled, self._outward, self._between, self._beyond):
            step = phase(tally)
            if step is not None:
                return step
        return None

    def _unsettled(self, tally: _Tally) -> int | None:
        """Repeat a level whose first trials do not say which side it is on."""
        return next((level for level in sorted(tally.counts) if tally.passes(level) is None), None)

    def _outward(self, tally: _Tally) -> int | None:
        """Double (or halve) twice while one side of the bracket is missing; confirm a bound."""
        params = self.params
        good, bad = tally.bracket()
        near, far = (params.high, params.low) if params.lowest else (params.low, params.high)
        if good is None and bad is None:
            return params.start or near
        if bad is None:
            assert good is not None  # noqa: S101 - said above, for the type checker
            return _unless(tally.confirmed(far), far) if good == far else tally.beyond(good, STRIDE)
        if good is None:
            return (
                _unless(tally.confirmed(near), near) if bad == near else tally.before(bad, STRIDE)
            )
        return None

    def _between(self, tally: _Tally) -> int | None:
        """Bisect down to the resolution, then confirm both ends."""
        good, bad = tally.bracket()
        if good is None or bad is None:
            return None
        if abs(bad - good) > self.params.step_at(min(good, bad)):
            far = max(good, bad) >= STRIDE * min(good, bad)
            return math.isqrt(good * bad) if far else (good + bad) // 2
        return next((level for level in (good, bad) if not tally.confirmed(level)), None)

    def _beyond(self, tally: _Tally) -> int | None:
        """Look once whether health really ends: at twice the first failing level.

        A dip between two levels that passed on the way up is not looked for.
        """
        bad = tally.bracket()[1]
        if bad is None:
            return None
        past = [level for level in tally.counts if (level < bad) == self.params.lowest]
        probe = tally.beyond(bad, 2)
        if probe not in tally.counts and not any(self._as_far(level, probe) for level in past):
            return probe
        wrong = (level for level in sorted(past) if level != bad and tally.passes(level))
        return next((level for level in wrong if not tally.confirmed(level)), None)

    def _as_far(self, level: int, probe: int) -> bool:
        return level <= probe if self.params.lowest else level >= probe

    def _done(self, tally: _Tally, state: State, why: str = "") -> Done:
        params = self.params
        good, bad = tally.bracket()
        at_bound = ""
        if not why and (good is None or bad is None):
            inner, outer = ("high", "low") if params.lowest else ("low", "high")
            at_bound = outer if bad is None else inner
            end = params.high if at_bound == "high" else params.low
            what = "is still healthy" if bad is None else "is not healthy"
            bound = end if self.grain == 1 else amount(end * self.grain, params.unit)
            why = f"the search ended at its bound: {bound} {what}"
        curve, level = None, None
        if good is not None and bad is not None:
            curve = fit(tally.counts, (good, bad), params.resolution, lowest=params.lowest)
            level = self._level(curve, good, bad)
        wrong = inversions(tally.counts, lowest=params.lowest)
        every = _Tally(params, state.trials)
        low: tuple[int, ...] = ()
        if good is not None and bad is not None:
            extra = state.trials[tally.total :]
            low = sentinels.dips(extra, (good, bad), lowest=params.lowest)
        return Done(
            level=level,
            last_passing=good,
            first_failing=bad,
            table=tuple((at, *every.counts[at]) for at in sorted(every.counts)),
            trials=every.total,
            at_bound=at_bound,
            monotone=not wrong and not low,
            inversions=wrong,
            fitted=curve,
            why=why,
            dips=low,
            effects=sentinels.effects(state.trials, curve) if state.settled and curve else (),
        )

    def _level(self, curve: Fit, good: int, bad: int) -> int:
        """Take the middle of the curve, or its edge where n of n are asked for."""
        if self.params.healthy == self.params.trials > 1 or abs(bad - good) == 1:
            return good
        return math.ceil(curve.half) if self.params.lowest else math.floor(curve.half)


def _unless(settled: bool, level: int) -> int | None:
    return None if settled else level


class _Tally:
    """How often each level was tried and healthy, and what follows from it."""

    def __init__(self, params: Params, trials: Sequence[tuple[int, bool]]) -> None:
        self.params = params
        self.total = len(trials)
        self.counts: dict[int, tuple[int, int]] = {}
        for level, healthy in trials:
            good, of = self.counts.get(level, (0, 0))
            self.counts[level] = (good + healthy, of + 1)

    def passes(self, level: int) -> bool | None:
        """Whether a level passes by what is known; None while one failure stands alone."""
        good, of = self.counts[level]
        bad = of - good
        if self.confirmed(level):
            return good >= self.params.healthy
        if good > bad:
            return True
        return False if bad >= 2 and bad > good else None

    def confirmed(self, level: int) -> bool:
        """Whether further trials up to n could not change k of n; a failure must repeat."""
        good, of = self.counts.get(level, (0, 0))
        enough = self.params.healthy
        return good >= enough or of - good >= max(2, self.params.trials - enough + 1)

    def bracket(self) -> tuple[int | None, int | None]:
        """Give the last passing level before the first failing one, and that one."""
        lowest = self.params.lowest
        order = sorted(self.counts, reverse=lowest)
        bad = next((level for level in order if self.passes(level) is False), None)
        before = order if bad is None else order[: order.index(bad)]
        good = next((level for level in reversed(before) if self.passes(level)), None)
        return good, bad

    def beyond(self, level: int, times: int) -> int:
        """Give the next level towards failure."""
        if self.params.lowest:
            return max(self.params.low, level // times)
        return min(self.params.high, level * times)

    def before(self, level: int, times: int) -> int:
        """Give the next level towards health."""
        if self.params.lowest:
            return min(self.params.high, level * times)
        return max(self.params.low, level // times)
