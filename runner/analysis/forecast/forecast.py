"""What a run would take, and whether its repetitions can decide its claims; before any data.

Durations are the sum of what the spec asks for plus an overhead per trial. The
chances take the pilot's median, or the published number itself, for the truth:
they say whether the design can decide, not what it will find.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.case import (
    NOT_TESTABLE,
    Case,
    alpha_outside,
)
from runner.analysis.claims.claims import claim_results
from runner.analysis.claims.estimates import estimates, is_exact
from runner.analysis.claims.numbers import fewest
from runner.analysis.claims.pairing import blocks, censored_truths
from runner.analysis.claims.rows import outermost
from runner.analysis.forecast.block_chance import statement_chance
from runner.analysis.forecast.chance import Chance
from runner.analysis.forecast.chances import Powers, rate_chance, universal_chance
from runner.analysis.runs.searches import searches_of
from runner.analysis.stats.power import MANY, POWER, needed
from runner.analysis.stats.run_order import SMALLEST
from runner.planning.search import Done, Search, State, params_of
from runner.records.quantities import in_unit
from runner.spec.expressions import references
from runner.spec.treatments import stated, treatments, with_levels

if TYPE_CHECKING:
    from runner.analysis.model import Analysis, ClaimResult
    from runner.spec.claims import Claim
    from runner.spec.design import Search as Asked
    from runner.spec.experiment import Experiment

TRIAL_S: Final = 1.5
"""Start, ready, stop and collecting of one trial, where no pilot says how long they take."""
ONCE_S: Final = 0.3
"""The same of a program that ends by itself, which is neither waited for nor stopped."""
FRESH_S: Final = 1.0
"""A new workload between two steps."""
CAPACITIES: Final = 9
"""Servers, log-uniform over the range, that a search is tried on to count its trials."""


@dataclass(frozen=True)
class Duration:
    """How many trials, and how long they take in all."""

    treatments: int
    repetitions: tuple[int, int]
    trials: tuple[int, int]
    seconds: tuple[float, float]
    trial_s: tuple[float, float]
    """The shortest and the longest treatment's trial, overhead included."""
    searched: tuple[int, int] | None = None
    """Trials of one search, where there is one."""
    ends_itself: bool = False
    """The time that the program takes is its own, and not in here."""


def duration(experiment: Experiment) -> Duration:
    """Predict how long a run takes; builds, packages and repeated invalid trials not counted."""
    cells = treatments(experiment)
    repeat = experiment.repeat
    low, high = experiment.blocks
    made = [with_levels(experiment, levels) for levels in cells]
    alone = [ends_itself(one) for one in made]
    times = [
        trial_s(one) + (ONCE_S if once else TRIAL_S) for one, once in zip(made, alone, strict=True)
    ]
    pause = repeat.cooldown.at_least.seconds if repeat.cooldown is not None else 0.0
    longest = repeat.cooldown.at_most.seconds if repeat.cooldown is not None else 0.0
    searched = None if experiment.search is None else search_trials(experiment.search)
    least, most = searched or (1, 1)
    return Duration(
        treatments=len(cells),
        repetitions=(low, high),
        trials=(len(cells) * low * least, len(cells) * high * most),
        seconds=(
            sum(t + pause for t in times) * low * least,
            sum(t + longest for t in times) * high * most,
        ),
        trial_s=(min(times, default=0.0), max(times, default=0.0)),
        searched=searched,
        ends_itself=any(alone),
    )


def ends_itself(experiment: Experiment) -> bool:
    """Whether a trial lasts as long as its program takes."""
    return experiment.workload is not None and experiment.workload.once


def trial_s(experiment: Experiment) -> float:
    """Seconds of one trial that the spec itself asks for."""
    load, workload = experiment.load, experiment.workload
    if workload is None:
        return 0.0
    if load is None or load.generator == "none":
        return experiment.watched_s
    steps = load.expanded_steps()
    if experiment.search is not None:
        steps = steps[:1]
    rest = load.cooldown.at_least.seconds if load.cooldown is not None else 0.0
    fresh = FRESH_S * (len(steps) - 1) if load.between_steps == "fresh" else 0.0
    return sum(step.warmup_s + step.duration_s + rest for step in steps) + fresh


def search_trials(asked: Asked) -> tuple[int, int]:
    """Fewest and most trials of a search, tried on ideal servers all over its range."""
    params = params_of(asked)
    found = []
    for at in range(CAPACITIES):
        share = (at + 0.5) / CAPACITIES
        edge = asked.low * (asked.high / asked.low) ** share
        search, state = Search(params), State()
        while not isinstance(level := search.next(state), Done):
            healthy = level >= edge if params.lowest else level <= edge
            state = search.record(state, level, healthy=healthy)
        found.append(len(state.trials))
    return min(found), max(found)


def chances(
    experiment: Experiment, pilot: Analysis | None = None, spread: float | None = None
) -> tuple[Chance, ...]:
    """Say of every claim how likely the spec's repetitions decide it.

    `spread` is the standard deviation of one repetition relative to its size; it
    stands in for a pilot, and wins over it.
    """
    trials = pilot.trials if pilot is not None else ()
    search = searches_of(pilot.search) if pilot is not None else None
    measured = estimates(experiment.metrics, trials, search, outermost(experiment))
    results = claim_results(experiment, measured, trials, {})
    family = max(1, sum(result.verdict != NOT_TESTABLE for result in results))
    found = []
    for result in results:
        if result.verdict == NOT_TESTABLE:
            continue
        claim = next(c for c in experiment.claims if _of(c.id, result.id))
        if not claim.states or claim.estimand_kind in ("never", "always"):
            found.append(_chance(experiment, claim, result, spread, family))
            continue
        base = Chance(result.id, result.published, _n(experiment), None)
        held, _ = censored_truths(blocks(claim, stated(experiment, claim), measured, {}))
        exact = _exact(experiment, claim)
        found.append(statement_chance(base, held, spread, family, exact=exact))
    return tuple(found)


def _of(claim: str, result: str) -> bool:
    return result == claim or result.startswith(f"{claim}/")


def _n(experiment: Experiment) -> tuple[int, int]:
    return experiment.units


def _exact(experiment: Experiment, claim: Claim) -> bool:
    """Whether a statement is about exact metrics and facts alone."""
    statement = stated(experiment, claim)
    assert statement is not None  # noqa: S101 - asked of statements only
    names = {ref.name for ref in references(statement)} & {*experiment.metrics}
    return all(is_exact(name, experiment.metrics) for name in names)


def _chance(
    experiment: Experiment, claim: Claim, result: ClaimResult, spread: float | None, family: int
) -> Chance:
    n = _n(experiment)
    base = Chance(result.id, result.published, n, None)
    if is_exact(str(claim.metric), experiment.metrics):
        return replace(base, chance=(1.0, 1.0), basis="exact metric", needed=1)
    kind, share = claim.estimand_kind, claim.quantile
    if kind in ("never", "always"):
        return universal_chance(base, claim.limit, result)
    if kind == "rate":
        return rate_chance(base, result, family)
    case = Case(result.id, estimand=kind, quantile=share)
    least = fewest(case, result.region)
    if n[1] < least:
        warning = f"{n[1]} repetitions give no 90 % interval: at least {least} are needed"
        return replace(base, chance=(0.0, 0.0), needed=least, warning=warning)
    return _number(base, result, spread, family, Powers(kind, share))


def _number(
    base: Chance, result: ClaimResult, spread: float | None, family: int, powers: Powers
) -> Chance:
    low, high = region = result.region or (None, None)
    if low is not None and low == high:
        warning = "the published number has no width: give `rounded_to` or a margin"
        return replace(base, chance=(0.0, 0.0), warning=warning)
    middle = None if low is None or high is None else (low + high) / 2
    values = result.values
    if spread is None and len(values) > 1:
        deviation = statistics.stdev(values)
        truth: float | None = powers.estimate(values)
        share = deviation / abs(truth) if truth else 0.0
        source = f"pilot of {len(values)}: spread {share:.2%}"
    elif spread is not None:
        truth = powers.estimate(values) if values else middle
        deviation = spread * abs(truth or 0.0)
        source = f"stated spread {spread:.2%}"
        source += ", the pilot's estimate" if values else ", the published number taken for true"
    else:
        return replace(base, basis="no pilot with two repetitions, and no --spread")
    if truth is None:
        return replace(base, basis=f"{source}; a range with an open end needs a pilot")
    drawn = powers.drawn(truth, deviation)
    within = (low is None or truth >= low) and (high is None or truth <= high)

    def chance(n: int) -> float:
        if within:
            return powers.inside(n, region, drawn)
        return powers.outside(n, region, drawn, alpha_outside(region, family) / 2)

    return replace(
        base,
        chance=(chance(base.n[0]), chance(base.n[1])),
        towards="reproduced" if within else "contradicted",
        basis=f"{source}; normal, {_held_back(base.n[1])}",
        needed=needed(chance),
        warning=_tight(region, deviation, base.n[1], result.unit, powers),
    )


def _held_back(n: int) -> str:
    """Say what the chance leaves out: a false alarm of the run-order check."""
    if n < SMALLEST:
        return "independent"
    return "independent; the run-order check holds back about 9 % of what is decided"


def _tight(
    region: tuple[float | None, float | None], deviation: float, n: int, unit: str, powers: Powers
) -> str:
    """Say so where even a host with exactly the published number would not be `reproduced`."""
    low, high = region
    if low is None or high is None:
        return ""
    middle, half = (low + high) / 2, (high - low) / 2
    likely = powers.inside(n, region, powers.drawn(middle, deviation))
    if likely >= POWER:
        return ""
    wide = _wide_enough(n, deviation, powers)
    share = f" (±{wide / abs(middle):.1%})" if middle else ""
    shown = in_unit(wide, unit) if unit else wide
    drawn = powers.drawn(0.0, deviation)
    wanted = needed(lambda size: powers.inside(size, (-half, half), drawn))
    more = f"{wanted} repetitions" if wanted is not None else f"more than {MANY} repetitions"
    return (
        f"the margin is too tight: were the published number exactly right, {n} repetitions would "
        f"say so with a chance of {likely:.0%}; it takes {more}, "
        f"or a region of ±{shown:.3g} {unit}{share}"
    )


def _wide_enough(n: int, deviation: float, powers: Powers) -> float:
    """Give the half-width of a region that n repetitions reproduce with a chance of 80 %."""
    low, high = 0.0, 20 * deviation
    for _ in range(40):
        half = (low + high) / 2
        enough = powers.inside(n, (-half, half), powers.drawn(0.0, deviation)) >= POWER
        low, high = (low, half) if enough else (half, high)
    return high
