"""The end of a run: its record judged and closed, its report written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from runner.analysis.judge import judge
from runner.apply.interface import Outcome
from runner.records.outcome import MEASURED
from runner.report.pages import rebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runner.analysis.model import Analysis, Estimate, Trial
    from runner.apply.interface import Counts
    from runner.records.manifest import Order, State
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder

SHOWN: Final = 3
ALIKE: Final = 200
"""Characters by which two reasons are one: what a program printed is cut somewhere."""


def conclude(
    folder: RunFolder,
    experiment: Experiment,
    counts: Mapping[str, Counts],
    ended: Callable[[Analysis], tuple[State, str]],
) -> Outcome:
    """Judge what was recorded, close the record, and write the report.

    `ended` gives how the run ended, and why where that is not as it was meant to end.
    """
    folder.update(recap={name: vars(count) for name, count in counts.items()})
    analysis = judge(folder, experiment)
    rebuild.write_analysis(folder, analysis)
    state, why = ended(analysis)
    folder.finish(state, at=time.time(), why=why)
    return Outcome(
        folder.id, rebuild.write(folder, analysis), dict(counts), analysis.trials, analysis.claims,
        analysis.estimates, failures(analysis, folder.manifest.order),
    )  # fmt: skip


def failures(analysis: Analysis, order: Order | None) -> str:
    """Say why a run counts as failed, a line for each reason; empty where it does not.

    A trial that could not be run, unless a later attempt, or its block on a board that was
    brought back or on another one, made it good; none that says anything: every attempt was
    thrown away; or not one number that was asked for.
    """
    again = {(one.block, one.from_board) for one in (order.moved if order else ())}
    known = [trial for trial in analysis.trials if (trial.repetition, trial.host) not in again]
    last: dict[str, Trial] = {}
    for trial in known:
        last[trial.planned] = trial
    lines = _reasons(trial for trial in last.values() if trial.outcome == "error")
    if known and not any(trial.outcome in MEASURED for trial in known):
        invalid = [trial for trial in known if trial.outcome == "invalid"]
        if invalid:
            lines.append(f"nothing valid was measured: {len(invalid)} of {len(known)} trials are "
                         "invalid, and say nothing of the workload")  # fmt: skip
            lines += _reasons(invalid)
    return "\n".join(lines or _unmeasured(analysis))


def _unmeasured(analysis: Analysis) -> list[str]:
    """Say why no metric has a value, where the trials have no load that was measured either."""
    loaded = any("load.requests" in step.numbers for t in analysis.trials for step in t.steps)
    if loaded or not analysis.estimates or not all(map(_empty, analysis.estimates)):
        return []
    why = dict.fromkeys(f"{one.metric}: {one.why or 'not measured'}" for one in analysis.estimates)
    more = [f"and {len(why) - SHOWN} more"] if len(why) > SHOWN else []
    return ["nothing valid was measured: no metric has a value", *list(why)[:SHOWN], *more]


def _empty(one: Estimate) -> bool:
    # how far a censored value went is known
    known = any(value is not None for value in (*one.values, *one.texts))
    return not known and not any(unit.censored for unit in one.repetitions)


def _reasons(trials: Iterable[Trial]) -> list[str]:
    """Give each reason once, with the trials that have it; the trial's own name is none of it."""
    alike_by_why: dict[str, list[Trial]] = {}
    for trial in trials:
        alike_by_why.setdefault(trial.why.replace(trial.id, "")[:ALIKE], []).append(trial)
    return [
        f"{_some([one.id for one in alike])}: {alike[0].why}" for alike in alike_by_why.values()
    ]


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
