"""Requests of an open model over time: what was planned, sent and answered in each interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.analysis.model import Series
from runner.kinds import generators
from runner.kinds.generators.interface import Output
from runner.records.trial_events import MeasureStarted, StepEnded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.analysis.trial.frames import Reading
    from runner.analysis.trial.loads import LoadPart
    from runner.kinds.generators.interface import Over
    from runner.records.steps import StepPlan

DECLARED, SENT, ANSWERED = "load.declared", "load.sent", "load.answered"
NAMES: Final = (DECLARED, SENT, ANSWERED)
"""Series of a trial, in requests per second."""


def series(
    reading: Reading, trial: str, plans: Sequence[StepPlan], parts: Sequence[LoadPart]
) -> tuple[Series, ...]:
    """Give the three rates of all steps whose generator counts its requests over time.

    A rate stands in the middle of its interval; between two steps there is none. Generators of
    several hosts, which begin at one time, are added up.
    """
    times: list[float] = []
    rates: dict[str, list[float | None]] = {name: [] for name in NAMES}
    for started in reading.every(MeasureStarted):
        begin = reading.time_of(started)
        found = [*_overs(reading, plans, started.index)]
        for part in parts:
            if part.reading is not None:
                found += _overs(part.reading, part.steps, started.index)
        if not found:
            continue
        every = found[0].every_s
        if times:
            times.append(begin)
            for values in rates.values():
                values.append(None)
        many = min(len(over.planned) for over in found)
        times += [round(begin + (i + 0.5) * every, 3) for i in range(many)]
        for i in range(many):
            for name, key in zip(NAMES, ("planned", "sent", "answered"), strict=True):
                rates[name].append(sum(getattr(over, key)[i] for over in found) / every)
    if not times:
        return ()
    return tuple(Series(trial, name, "/s", tuple(times), tuple(rates[name])) for name in NAMES)


def _overs(reading: Reading, plans: Sequence[StepPlan], index: int) -> Iterator[Over]:
    plan = next((plan for plan in plans if plan.index == index), None)
    ended = reading.of_step(StepEnded, index)
    if plan is None or plan.generator is None or plan.load is None or plan.load.rate is None:
        return
    if ended is not None:
        over = generators.read(plan.generator, Output.of(ended), plan.load).over
        if over is not None:
            yield over
