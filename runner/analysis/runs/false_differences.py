"""How often a comparison on this host finds a difference where there is none.

A run of A against A (`planning.aa`) is cut into experiments of as many blocks as a comparison
has, and each is compared as `runner compare` would: within its blocks, where the order cannot
matter, and, to see what interleaving is worth, A of one experiment against B of the next, as
whoever measures one after the other does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.runs.compared import ALPHA, DIFFERENT
from runner.analysis.runs.comparison import compare
from runner.analysis.runs.side import Side
from runner.analysis.stats.shares import lower, upper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis, Estimate
    from runner.analysis.runs.compared import Row
    from runner.spec.experiment import Experiment

LEVEL: Final = 0.95


@dataclass(frozen=True)
class Rate:
    """Experiments that found a difference, of so many."""

    found: int
    of: int

    @property
    def bounds(self) -> tuple[float, float]:
        """One-sided 95 % bounds, so a 90 % interval (Clopper and Pearson)."""
        return lower(self.found, self.of, LEVEL), upper(self.found, self.of, LEVEL)

    @property
    def too_often(self) -> bool:
        """Whether it is shown to be more than a comparison may find by chance."""
        return self.of > 0 and self.bounds[0] > ALPHA


@dataclass(frozen=True)
class OfMetric:
    """One metric in one cell."""

    metric: str
    where: Mapping[str, str]
    interleaved: Rate
    ratio: tuple[float, float] | None
    """90 % interval of A against A over all blocks: what is smaller is not seen here."""


@dataclass(frozen=True)
class FalseDifferences:
    """What a host says of A against A."""

    blocks: int
    """Of one experiment."""
    interleaved: Rate
    """Experiments in which any metric was found to differ, within blocks."""
    apart: Rate
    """The same of A in one experiment against B in the next."""
    metrics: tuple[OfMetric, ...]


def false_differences(
    analysis: Analysis, experiment: Experiment, levels: tuple[str, str, str], blocks: int
) -> FalseDifferences:
    """Cut a run of A against A into experiments of `blocks` blocks, and compare in each.

    `levels` are the factor and the levels that change nothing.
    """
    factor, *same = levels
    last = max((one.repetition for e in analysis.estimates for one in e.repetitions), default=0)
    count = last // blocks

    def side(level: str, first: int, run: str, until: int = 1) -> Side:
        ends = (first * blocks, (first + until) * blocks)
        part = replace(analysis, estimates=tuple(_within(e, ends) for e in analysis.estimates))
        return Side(level, part, {factor: level}, {}, experiment, run)

    one, other = same
    within = [compare(side(one, at, "run"), side(other, at, "run")).rows for at in range(count)]
    apart = [
        compare(side(one, at, "one"), side(other, at + 1, "other")).rows for at in range(count - 1)
    ]
    every = compare(side(one, 0, "run", count), side(other, 0, "run", count)).rows if count else ()
    return FalseDifferences(
        blocks=blocks,
        interleaved=_rate(within),
        apart=_rate(apart),
        metrics=tuple(_of_metric(row, within) for row in every if row.p is not None),
    )


def _rate(experiments: Sequence[Sequence[Row]]) -> Rate:
    positives = sum(any(row.outcome in DIFFERENT for row in rows) for rows in experiments)
    return Rate(positives, len(experiments))


def _of_metric(row: Row, within: Sequence[Sequence[Row]]) -> OfMetric:
    own = [
        one
        for rows in within
        for one in rows
        if (one.metric, one.where) == (row.metric, row.where) and one.p is not None
    ]
    rate = Rate(sum(one.outcome in DIFFERENT for one in own), len(own))
    return OfMetric(row.metric, row.where, rate, row.ratio_interval)


def _within(estimate: Estimate, ends: tuple[int, int]) -> Estimate:
    """Give the part of an estimate that is of repetitions above the first end, up to the last."""
    kept = [
        at for at, one in enumerate(estimate.repetitions) if ends[0] < one.repetition <= ends[1]
    ]
    values = tuple(estimate.values[at] for at in kept)
    texts = tuple(estimate.texts[at] for at in kept) if estimate.texts else ()
    return replace(
        estimate,
        values=values,
        texts=texts,
        repetitions=tuple(estimate.repetitions[at] for at in kept),
        n=sum(value is not None for value in values),
        median=_middle([value for value in values if value is not None]),
        interval=None,
        level=None,
    )


def _middle(values: Sequence[float]) -> float | None:
    import statistics

    return statistics.median(values) if values else None
