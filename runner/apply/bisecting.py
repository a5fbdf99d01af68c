"""`runner bisect`: commits measured one after the other, as the search over them asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runner.analysis.judge import measured
from runner.errors import SpecError, ToolchainError, TrialError
from runner.planning.against import FACTOR, level_of
from runner.planning.bisect import Answer, Bisection
from runner.records.manifest import Bisected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.apply.boards.revive import Reviver
    from runner.apply.trials import TrialRunner
    from runner.records.manifest import Commit

TRIES: Final = 2
"""Trials without a value after which a commit is stepped over."""


@dataclass
class Bisecting:
    """Conducts the trials of a run: which commit is measured next, until the answer is clear."""

    commits: Sequence[Commit]
    """The good one first, the bad one last."""
    metric: str
    rest: Mapping[str, str]
    """The levels of all other factors."""
    search: Bisection
    why: dict[int, str] = field(default_factory=dict)
    """Of each commit that was stepped over."""
    answer: Answer | None = None
    _tried: dict[int, int] = field(default_factory=dict)
    _sequence: list[tuple[int, float]] = field(default_factory=list)

    def __call__(self, runners: Sequence[TrialRunner], revive: Reviver) -> None:
        """Measure until the search has its answer; what is known of it is always on disk."""
        del revive
        if len(runners) != 1:
            raise SpecError(
                "bisect measures on one board: what differs between boards is not the program's",
                fix="name one with -H",
            )
        while not isinstance(step := self.search.next(), Answer):
            self._measure(runners[0], step)
            self._keep(runners[0])
        self.answer = step
        self._keep(runners[0])

    def _measure(self, runner: TrialRunner, at: int) -> None:
        """Take one value of a commit, or step over it; an end that has none ends the run."""
        levels = {FACTOR: level_of(self.commits[at].hash), **self.rest}
        number = self._tried[at] = self._tried.get(at, 0) + 1
        try:
            trial = runner.run(levels, number)
        except ToolchainError as fault:
            self._step_over(runner, at, fault.message)
            return
        experiment = runner.loaded.experiment
        better = experiment.metrics[self.metric].better
        estimates = [
            one for one in measured(runner.folder, experiment, [trial]) if one.metric == self.metric
        ]
        if len(estimates) > 1:
            raise SpecError(
                f"{self.metric} has a value for each step: bisect needs one",
                fix=f"give metrics.{self.metric} `at: STEP`, or leave out `per: step`",
            )
        value = estimates[0].values[0] if estimates and estimates[0].values else None
        if value is not None:
            self.search.record(at, value if better == "lower" else -value)
            self._sequence.append((at, value))
        elif number - len(self.search.values.get(at, [])) >= TRIES:
            why = (
                trial.why
                or (estimates[0].why if estimates else "")
                or f"{self.metric} has no value"
            )
            self._step_over(runner, at, why)

    def _step_over(self, runner: TrialRunner, at: int, why: str) -> None:
        commit = self.commits[at]
        if at in (0, len(self.commits) - 1):
            raise TrialError(
                f"the {'bad' if at else 'good'} end, {commit.hash[:12]}, gives no value: {why}",
                fix="name another end",
            )
        runner.reporter.note(f"{commit.hash[:12]} is stepped over: {why.splitlines()[0]}")
        self.search.skip(at)
        self.why[at] = why

    def _keep(self, runner: TrialRunner) -> None:
        answer = self.answer
        runner.folder.update(
            bisect=Bisected(
                metric=self.metric,
                commits=tuple(self.commits),
                sequence=tuple(self._sequence),
                skipped={str(at): why for at, why in self.why.items()},
                first=answer.first if answer else None,
                last=answer.last if answer else None,
                confidence=answer.confidence if answer else None,
                why=answer.why if answer else "",
            )
        )
