"""The order of trials: treatments and repetitions in seeded blocks, or searches over levels."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from runner.analysis.claims.estimates import relative_half_width
from runner.analysis.judge import measured
from runner.apply.boards.fleet import Boards
from runner.apply.boards.left_out import leave
from runner.errors import TrialError
from runner.planning.boards import assigned
from runner.planning.layers import groups_of
from runner.planning.order import enough, whole
from runner.planning.replication import seed_of
from runner.planning.search import Done, Search, State, params_of
from runner.records.amounts import amount
from runner.records.manifest import Fitted, Moved, Order, Searches, SearchRun
from runner.spec.treatments import treatments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.apply.boards.revive import Reviver
    from runner.apply.trials import TrialRunner
    from runner.errors import RunnerError
    from runner.planning.order import Slot
    from runner.spec.experiment import Experiment


def run_all(runners: Sequence[TrialRunner], revive: Reviver) -> None:
    """Run blocks of every treatment until the spec's stop rule says enough.

    Each block is run on one board; boards run at once. The order and the board of each
    block are drawn once from the seed and stored before the first trial; the rule looks
    at the width of intervals and never at a verdict.
    """
    first = runners[0]
    experiment = first.loaded.experiment
    repeat = experiment.repeat
    low, high = experiment.blocks
    cells = treatments(experiment)
    seed = seed_of(experiment)
    # the whole order is drawn at once: how far it is followed must not change it
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    together = repeat.order.together is not None
    groups = groups_of(first.host.layers, cells) if together else first.kernels(cells)
    slots = whole(len(cells), (low, high), repeat.order.by, rng, groups)
    order = Order(
        repeat.order.by, seed, tuple((slot.repetition, cells[slot.cell]) for slot in slots)
    )
    plan = _Plan(runners, experiment, cells, slots, revive)
    before = first.folder.manifest.order
    # a run that goes on keeps what an earlier part of it has moved
    plan.moves = list(before.moved) if before is not None else []
    names = experiment.hosts.server
    if len(names) > 1:
        plan.boards = dict(enumerate(assigned(names, high, rng), 1))
        boards = {str(number): board for number, board in plan.boards.items()}
        order = msgspec.structs.replace(order, boards=boards)
    order = msgspec.structs.replace(order, moved=tuple(plan.moves))
    first.folder.update(order=order)
    # nobody knows beforehand how many trials a search takes
    searching = experiment.search is not None
    _expect(runners, 0 if searching else len(cells) * low)
    if len(runners) == 1 and repeat.order.by == "random":
        for slot in slots:
            if slot.repetition <= low:
                plan.one(first, cells[slot.cell], slot.repetition)
    else:
        plan.run(range(1, low + 1))
    n = low
    while n < high:
        decision = _enough(first, experiment, n)
        if decision.stop:
            first.folder.update(stopped=decision.why)
            return
        # as many blocks as there are boards: none waits for another's answer
        several = range(n + 1, min(high, n + len(runners)) + 1)
        _expect(runners, 0 if searching else first.expected + len(cells) * len(several))
        plan.run(several)
        n = several[-1]


def run_share(runner: TrialRunner, total: int, numbers: Sequence[int], revive: Reviver) -> None:
    """Run some of so many blocks on one board: others run the rest, in runs of their own.

    The whole order is drawn from the seed, as if all were run here.
    """
    experiment = runner.loaded.experiment
    cells = treatments(experiment)
    seed = seed_of(experiment)
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    together = experiment.repeat.order.together is not None
    groups = groups_of(runner.host.layers, cells) if together else runner.kernels(cells)
    slots = whole(len(cells), (total, total), experiment.repeat.order.by, rng, groups)
    mine = [slot for slot in slots if slot.repetition in numbers]
    plan = _Plan([runner], experiment, cells, mine, revive)
    before = runner.folder.manifest.order
    plan.moves = list(before.moved) if before is not None else []
    runner.folder.update(
        order=Order(
            experiment.repeat.order.by,
            seed,
            tuple((slot.repetition, cells[slot.cell]) for slot in mine),
            boards={str(number): runner.host.name for number in numbers},
            moved=tuple(plan.moves),
        )
    )
    _expect([runner], 0 if experiment.search is not None else len(mine))
    plan.run(numbers)


def _expect(runners: Sequence[TrialRunner], trials: int) -> None:
    for runner in runners:
        runner.expected = trials


class _Plan:
    """Which treatments a block has, in which order, and on which board it runs."""

    def __init__(
        self,
        runners: Sequence[TrialRunner],
        experiment: Experiment,
        cells: Sequence[Mapping[str, str]],
        slots: Sequence[Slot],
        revive: Reviver,
    ) -> None:
        self.runners, self.revive = runners, revive
        self.experiment = experiment
        self.blocks: dict[int, list[Mapping[str, str]]] = {}
        for slot in slots:
            self.blocks.setdefault(slot.repetition, []).append(cells[slot.cell])
        self.boards: dict[int, str] = {}
        self.moves: list[Moved] = []
        self.fleet: Boards | None = None

    def run(self, numbers: Iterable[int]) -> None:
        """Run blocks, on one board in their order, on several at once."""
        first, left_out = self.runners[0], self.runners[0].folder.manifest.left_out
        if len(self.runners) == 1 and first.host.entry.power is None and not left_out:
            for number in numbers:
                self.block(self.runners[0], number)
            return
        if self.fleet is None:
            by_name = {runner.host.name: runner for runner in self.runners}
            self.fleet = Boards(
                by_name, self.block, first.stop, self._renumbered, self._moved, self.revive,
                {name: f"{one.when}: {one.why}" for name, one in left_out.items()}, self._died,
            )  # fmt: skip
        follow = {move.block: (move.number, move.to_board) for move in self.moves}
        asked: dict[int, str] = {}
        for number in numbers:
            at, board = number, self.boards.get(number, first.host.name)
            while at in follow:
                at, board = follow[at]
                self.blocks[at] = self.blocks[number]
            asked[at] = board
        self.fleet.run(asked)

    def block(self, runner: TrialRunner, number: int) -> None:
        """Run one block on one board."""
        for levels in self.blocks[number]:
            self.one(runner, levels, number)

    def one(self, runner: TrialRunner, levels: Mapping[str, str], number: int) -> None:
        """Run one trial, or one search, of a block."""
        if self.experiment.search is None:
            runner.run(levels, number)
            return
        try:
            _search(runner, self.experiment, levels, number)
        finally:
            runner.release()

    def _died(self, board: str, error: RunnerError) -> None:
        """Record that the run goes on without a board, where it does."""
        (runner,) = [one for one in self.runners if one.host.name == board]
        leave(runner.host, "in trials", error, lambda *one: runner.folder.add("left_out", *one))

    def _renumbered(self, number: int) -> int:
        new = max([*self.blocks, *(move.number for move in self.moves)]) + 1
        self.blocks[new] = self.blocks[number]
        return new

    def _moved(self, number: int, new: int, board: str, to: str, why: str) -> None:
        self.moves.append(Moved(number, new, board, to, why))
        self.runners[0].folder.add("order", "moved", self.moves)
        self.runners[0].reporter.note(f"block {number} of {board} is run on {to} as {new}: {why}")


def _enough(runner: TrialRunner, experiment: Experiment, n: int) -> Any:
    """Ask the stop rule after `n` repetitions of every treatment."""
    rule = experiment.repeat.stop_when
    target = None if rule is None else rule.half_width.ratio
    estimates = measured(runner.folder, experiment, list(runner.done.values()))
    watched = [
        item
        for item in estimates
        if not item.exact and (rule is None or rule.metric in (None, item.metric))
    ]
    widths = [relative_half_width(item) for item in watched]
    return enough(n, experiment.blocks, widths, target)


def _search(
    runner: TrialRunner, experiment: Experiment, levels: Mapping[str, str], repetition: int
) -> None:
    """Run one search: ONE unit of replication. Its record is kept after every trial."""
    asked = experiment.search
    assert asked is not None  # noqa: S101 - the caller has looked
    search = Search(params_of(asked))
    state = State()
    invalid = 0
    while not isinstance(step := search.next(state), Done):
        serial = len(state.trials) + invalid + 1
        trial = runner.run(levels, repetition, level=step, serial=serial)
        if trial.outcome == "error":
            raise TrialError(
                f"the search stopped at {step}: {trial.why}",
                fix="mend what the message names; the trials so far are in the record",
            )
        if trial.outcome == "invalid":
            # a trial that says nothing is not in the record of the search
            invalid += 1
            if invalid > asked.max_trials // 4:
                raise TrialError(f"{invalid} trials of the search were invalid: {trial.why}")
            continue
        state = search.record(state, step, healthy=trial.outcome == "healthy")
    before = runner.folder.manifest.search
    run = SearchRun(
        repetition=repetition,
        treatment=dict(levels),
        level=step.level,
        last_passing=step.last_passing,
        first_failing=step.first_failing,
        table=step.table,
        trials=step.trials,
        at_bound=step.at_bound,
        monotone=step.monotone,
        inversions=step.inversions,
        fitted=Fitted(**asdict(step.fitted)) if step.fitted else None,
        why=step.why,
        dips=step.dips,
        effects=step.effects,
        sequence=state.trials,
        p_healthy=step.fitted.half if step.fitted else None,
        workload=asked.workload,
        workloads=_workloads(runner, levels, repetition),
    )
    runs = (*(before.runs if before else ()), run)
    unit = "B" if asked.in_bytes else "1"
    runner.folder.update(search=Searches(asked.goal.variable, runs, unit))
    runner.reporter.note(f"search {repetition}: {summary(step, unit)}")


def _workloads(runner: TrialRunner, levels: Mapping[str, str], repetition: int) -> int:
    """Count the workloads that the trials of one search have had."""
    own = [t for t in runner.done.values() if t.repetition == repetition]
    return sum(1 for t in own if t.treatment == dict(levels) and not t.kept_from)


def summary(done: Done, unit: str = "1") -> str:
    """Say what a search found, in one line."""
    if done.at_bound:
        return f"ended at the {done.at_bound} bound after {done.trials} trials"
    level, good, bad = (
        at if unit == "1" or at is None else amount(at, unit)
        for at in (done.level, done.last_passing, done.first_failing)
    )
    return f"level {level}, last passing {good}, first failing {bad}, {done.trials} trials"
