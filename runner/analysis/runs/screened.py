"""What each of many differences is worth, and what they leave of a gap. Pure.

Effects are those of a linear model (`runner.analysis.stats.effects`) of the logarithms, or of the
values themselves where one is not above 0; p is corrected by Holm over all differences and metrics.
The gap is that of the two recorded runs: the difference of their means, with Welch's degrees of
freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.effects import Amount, Scaled, Value, fitted, mean_of, quantile
from runner.analysis.stats.significance import holm
from runner.planning.screening import B

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.analysis.model import Analysis, Estimate
    from runner.analysis.runs.side import Side

ALPHA: Final = 0.05

Cell = tuple[str, tuple[tuple[str, str], ...]]
"""Metric, and levels of what was not varied, with the step."""


@dataclass(frozen=True)
class Effect:
    """What one difference does to one metric."""

    name: str
    amount: Amount
    p: float
    p_adjusted: float = 1.0
    share: Amount | None = None
    """Of the gap, on the scale that adds up; None where no gap is shown."""
    explains: bool = False
    """It is shown to be there (p_adjusted <= 0.05), and in the gap's direction."""


@dataclass(frozen=True)
class Explained:
    """One metric in one cell."""

    metric: str
    unit: str
    where: Mapping[str, str]
    ratio: bool
    """Whether amounts are ratios b / a, or differences b - a."""
    gap: Amount | None
    """Of the two recorded runs."""
    shown: bool
    """Whether the gap is one: its interval does not hold "no difference"."""
    effects: tuple[Effect, ...]
    """The largest first."""
    together: Amount | None
    """All of them at once, as measured here: every difference at b against every one at a."""
    additive: bool
    """Whether the single effects add up to `together`."""
    left: Amount | None
    """What of the gap remains when all differences are set alike here."""
    n: int
    """Values that the effects are of."""
    why: str = ""


def explained(
    a: Side, b: Side, screening: Analysis, names: Mapping[str, str]
) -> tuple[Explained, ...]:
    """Say for every metric what of the gap between two runs its differences explain.

    `names` gives the difference that each factor of the screening `made` stands for.
    """
    gaps = _by_cell(a.analysis, a.where), _by_cell(b.analysis, b.where)
    groups: dict[Cell, list[Estimate]] = {}
    for item in screening.estimates:
        groups.setdefault(_cell(item, names), []).append(item)
    explanations = [
        _one(cell, group, names, (gaps[0].get(cell), gaps[1].get(cell)))
        for cell, group in groups.items()
        if not any(item.texts for item in group)
    ]
    return _corrected(explanations)


def _one(
    cell: Cell,
    group: Sequence[Estimate],
    names: Mapping[str, str],
    sides: tuple[Estimate | None, Estimate | None],
) -> Explained:
    values = [value for item in group for value in item.values if value is not None]
    known = [[v for v in item.values if v is not None] for item in sides if item is not None]
    ratio = min((*values, *(v for side in known for v in side)), default=0.0) > 0
    scale = math.log if ratio else float
    empty = Explained(
        cell[0], group[0].unit, dict(cell[1]), ratio=ratio, gap=None, shown=False, effects=(),
        together=None, additive=True, left=None, n=len(values),
    )  # fmt: skip
    if len(known) < 2 or not all(known):
        return replace(empty, why="one of the two runs has no value of it")
    exact = all(item is not None and item.exact for item in sides)
    if min(map(len, known)) < 2 and not exact:
        return replace(empty, why="one of the two runs has a single value: no interval")
    gap = _gap(*([scale(v) for v in side] for side in known))
    fit = fitted(_values(group, list(names), scale))
    if fit is None:
        return replace(empty, gap=gap.amount(ratio=ratio), shown=gap.shown,
                       why="too few trials gave a value")  # fmt: skip
    together = fit.total if fit.additive else fit.ends
    effects = [
        Effect(
            names[factor], effect.amount(ratio=ratio), effect.p,
            share=_share(effect, gap) if gap.shown else None,
            explains=gap.shown and effect.value * gap.value > 0,
        )
        for factor, effect in sorted(
            zip(names, fit.singles, strict=True), key=lambda one: -abs(one[1].value)
        )
    ]  # fmt: skip
    return replace(
        empty, gap=gap.amount(ratio=ratio), shown=gap.shown, effects=tuple(effects),
        together=together.amount(ratio=ratio), additive=fit.additive,
        left=gap.less(together).amount(ratio=ratio),
    )  # fmt: skip


def _gap(x: Sequence[float], y: Sequence[float]) -> Scaled:
    return mean_of(y).less(mean_of(x))


def _share(effect: Scaled, gap: Scaled) -> Amount:
    """Give the part of the gap; the interval by the delta method."""
    share = effect.value / gap.value
    error = math.hypot(effect.error, share * gap.error) / abs(gap.value)
    half = error * quantile(min(effect.df, gap.df))
    return Amount(share, share - half, share + half)


def _values(
    group: Sequence[Estimate], factors: Sequence[str], scale: Callable[[float], float]
) -> list[Value]:
    return [
        Value(
            scale(value),
            item.repetitions[number].key if item.repetitions else number,
            cell,
            tuple(0.5 if item.treatment[name] == B else -0.5 for name in factors),
        )
        for cell, item in enumerate(group)
        for number, value in enumerate(item.values)
        if value is not None
    ]


def _corrected(explanations: Sequence[Explained]) -> tuple[Explained, ...]:
    tests = {
        f"{row}/{at}": effect.p
        for row, one in enumerate(explanations)
        for at, effect in enumerate(one.effects)
    }
    adjusted = holm(tests)
    return tuple(
        replace(
            one,
            effects=tuple(
                replace(
                    effect,
                    p_adjusted=adjusted[f"{row}/{at}"],
                    explains=effect.explains and adjusted[f"{row}/{at}"] <= ALPHA,
                )
                for at, effect in enumerate(one.effects)
            ),
        )
        for row, one in enumerate(explanations)
    )


def _cell(item: Estimate, without: Mapping[str, str]) -> Cell:
    rest = {k: v for k, v in item.treatment.items() if k not in without}
    if item.step is not None:
        rest["step"] = item.step
    return item.metric, tuple(rest.items())


def _by_cell(analysis: Analysis, where: Mapping[str, str]) -> dict[Cell, Estimate]:
    return {
        _cell(item, where): item
        for item in analysis.estimates
        if all(item.treatment.get(factor) == level for factor, level in where.items())
    }
