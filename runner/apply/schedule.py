"""The order of trials: treatments and repetitions in seeded blocks, or searches over levels."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runner.analysis.claims.estimates import relative_half_width
from runner.analysis.judge import measured
from runner.errors import TrialError
from runner.planning.layers import groups_of
from runner.planning.order import enough, whole
from runner.planning.search import Done, Params, Search, State
from runner.records.manifest import Fitted, Order, Searches, SearchRun
from runner.spec.treatments import treatments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.apply.trials import TrialRunner
    from runner.spec.experiment import Experiment

SEED = 20261123
"""Used where the spec names none: an order has to be the same when it is repeated."""


def run_all(runner: TrialRunner) -> None:
    """Run blocks of every treatment until the spec's stop rule says enough.

    The order is drawn once from the seed and stored before the first trial; the
    rule looks at the width of intervals and never at a verdict.
    """
    experiment = runner.loaded.experiment
    repeat = experiment.repeat
    cells = treatments(experiment)
    seed = repeat.order.seed if repeat.order.seed is not None else SEED
    # the whole order is drawn at once: how far it is followed must not change it
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    together = repeat.order.together is not None
    groups = groups_of(runner.host.layers, cells) if together else None
    slots = whole(len(cells), (repeat.minimum, repeat.maximum), repeat.order.by, rng, groups)
    runner.folder.update(
        order=Order(
            repeat.order.by, seed, tuple((slot.repetition, cells[slot.cell]) for slot in slots)
        )
    )
    # nobody knows beforehand how many trials a search takes
    searching = experiment.search is not None
    runner.expected = 0 if searching else len(cells) * repeat.minimum
    ended: set[int] = set()
    for slot in slots:
        if slot.repetition > repeat.minimum and slot.repetition not in ended:
            said = _enough(runner, experiment, slot.repetition - 1)
            if said.stop:
                runner.folder.update(stopped=said.why)
                return
            runner.expected += 0 if searching else len(cells)
            ended.add(slot.repetition)
        if searching:
            try:
                _search(runner, experiment, cells[slot.cell], slot.repetition)
            finally:
                runner.release()
        else:
            runner.run(cells[slot.cell], slot.repetition)


def _enough(runner: TrialRunner, experiment: Experiment, n: int) -> Any:
    """Ask the stop rule after `n` repetitions of every treatment."""
    rule = experiment.repeat.stop_when
    target = None if rule is None else rule.half_width.ratio
    found = measured(runner.folder, experiment, list(runner.done.values()))
    watched = [
        item
        for item in found
        if not item.exact and (rule is None or rule.metric in (None, item.metric))
    ]
    widths = [relative_half_width(item) for item in watched]
    repeat = experiment.repeat
    return enough(n, (repeat.minimum, repeat.maximum), widths, target)


def _search(
    runner: TrialRunner, experiment: Experiment, levels: Mapping[str, str], repetition: int
) -> None:
    """Run one search: ONE unit of replication. Its record is kept after every trial."""
    asked = experiment.search
    assert asked is not None  # noqa: S101 - the caller has looked
    resolution = asked.resolution.exact
    search = Search(
        Params(
            low=asked.low,
            high=asked.high,
            trials=asked.confirm.trials,
            healthy=asked.confirm.healthy,
            resolution=float(resolution),
            start=int(asked.start.exact) if asked.start else None,
            max_trials=asked.max_trials,
            lowest=asked.goal.direction == "lowest",
            sentinels=asked.sentinels is not False,
        )
    )
    state = State()
    invalid = 0
    while not isinstance(step := search.next(state), Done):
        serial = len(state.trials) + invalid + 1
        found = runner.run(levels, repetition, connections=step, serial=serial)
        if found.outcome == "error":
            raise TrialError(
                f"the search stopped at {step}: {found.why}",
                fix="mend what the message names; the trials so far are in the record",
            )
        if found.outcome == "invalid":
            # a trial that says nothing is not in the record of the search
            invalid += 1
            if invalid > asked.max_trials // 4:
                raise TrialError(f"{invalid} trials of the search were invalid: {found.why}")
            continue
        state = search.record(state, step, healthy=found.outcome == "healthy")
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
    runner.folder.update(search=Searches(asked.goal.variable, runs))
    runner.reporter.note(f"search {repetition}: {summary(step)}")


def _workloads(runner: TrialRunner, levels: Mapping[str, str], repetition: int) -> int:
    """Count the workloads that the trials of one search have had."""
    own = [t for t in runner.done.values() if t.repetition == repetition]
    return sum(1 for t in own if t.treatment == dict(levels) and not t.kept_from)


def summary(done: Done) -> str:
    """Say what a search found, in one line."""
    if done.at_bound:
        return f"ended at the {done.at_bound} bound after {done.trials} trials"
    return (
        f"level {done.level}, last passing {done.last_passing}, first failing "
        f"{done.first_failing}, {done.trials} trials"
    )
