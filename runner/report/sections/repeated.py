"""One row per step over its repetitions: what a reader wants before the single trials."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from runner.records.outcome import MEASURED
from runner.report.format import words
from runner.report.format.markdown import Md, table
from runner.report.sections import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Step, Trial

Number = float | int | str | None


def summary(trials: Sequence[Trial]) -> Md | None:
    """Table of medians per treatment and step; None where nothing was repeated.

    Only trials that were measured enter, as in the estimates; events that are counted, errors
    and OOM kills, are summed.
    """
    groups: dict[tuple[str, str], list[Step]] = {}
    for trial in trials:
        for step in trial.steps:
            if trial.outcome in MEASURED:
                name = (words.treatment(trial.treatment), step.name)
                groups.setdefault(name, []).append(step)
    columns = steps.shown(trials)[:-1]
    if not columns or max(map(len, groups.values()), default=0) < 2:
        return None
    varied = len({treatment for treatment, _ in groups}) > 1
    named = any(
        step.name != str(step.connections)
        for repetitions in groups.values()
        for step in repetitions
    )
    head = [*(["treatment"] if varied else []), *(["step"] if named else [])]
    left = "l" * len(head)
    rows: list[list[object]] = []
    for (treatment, step_name), repetitions in groups.items():
        cells = steps.row(_middle(repetitions))
        before = [*([treatment] if varied else []), *([step_name] if named else [])]
        rows.append([*before, *(cells[i] for i in columns), _outcomes(repetitions)])
    head += [*(steps.HEAD[i] for i in columns), "healthy"]
    return table(head, rows, left + "".join(steps.ALIGN[i] for i in columns) + "l")


def _middle(repetitions: Sequence[Step]) -> Step:
    """Give a step whose numbers are those of all repetitions together."""
    numbers: dict[str, Number] = {}
    for key in dict.fromkeys(key for step in repetitions for key in step.numbers):
        values = [v for step in repetitions if isinstance(v := step.numbers.get(key), int | float)]
        counted = key.startswith("load.errors") or key == "cgroup.oom_kills"
        numbers[key] = None if not values else sum(values) if counted else median(values)
    return replace(repetitions[0], numbers=numbers)


def _outcomes(repetitions: Sequence[Step]) -> str:
    healthy = sum(step.outcome == "healthy" for step in repetitions)
    outcome = "healthy" if healthy == len(repetitions) else "unhealthy"
    return f"{words.outcome(outcome).split(' ')[0]} {healthy} of {len(repetitions)}"
