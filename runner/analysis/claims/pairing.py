"""What belongs together: values of several metrics by the key of their block.

Never by position: where one treatment lacks a repetition, its neighbours stay with their own.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.must import resolved
from runner.analysis.claims.rows import joined
from runner.analysis.claims.statements import evaluate, truths
from runner.analysis.model import Repetition
from runner.spec.expressions import Binary, Number, Ref, Unary, Word, references
from runner.spec.treatments import treatments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.claims.must import Varied
    from runner.analysis.claims.statements import Value
    from runner.analysis.model import Estimate
    from runner.records.plain import Json
    from runner.spec.claims import Claim
    from runner.spec.experiment import Experiment
    from runner.spec.expressions import Expression

MOST_BOUNDS: Final = 6
"""Bounds in one block of which every combination is tried."""
MOST_APART: Final = 6
"""Levels that a reason names."""
SHOWN: Final = 40
"""Characters of a text that a reason quotes."""


@dataclass(frozen=True)
class Column:
    """Values of one estimate, and of each what is known of it."""

    values: tuple[float | None, ...] = ()
    censored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blocks:
    """A statement beside its values: one per block, in the order of measuring."""

    expression: Expression
    columns: dict[Ref, tuple[Value, ...]]
    censored: dict[Ref, tuple[str, ...]]
    estimates: tuple[Estimate, ...]


def units(estimate: Estimate) -> tuple[Repetition, ...]:
    """Give the key of each value; an estimate without keys counts its values."""
    if len(estimate.repetitions) == len(estimate.values):
        return estimate.repetitions
    return tuple(Repetition(at) for at in range(1, len(estimate.values) + 1))


def started(estimate: Estimate | None) -> Column:
    """Give an estimate's values in the order in which they were measured."""
    if estimate is None:
        return Column()
    pairs = sorted(
        zip(units(estimate), estimate.values, strict=True),
        key=lambda pair: (pair[0].started_at, pair[0].key),
    )
    return Column(tuple(value for _, value in pairs), tuple(one.censored for one, _ in pairs))


def blocks(
    claim: Claim,
    statement: Expression | None,
    measured: Sequence[Estimate],
    observed: Mapping[str, Json | Varied],
) -> Blocks:
    """Give a claim's statement and its values, joined by the key of their block."""
    expression = _with_where(statement, tuple(claim.where.items()))
    estimates: dict[Ref, Estimate] = {}
    for ref in references(expression):
        one = matching(measured, ref.name, dict(ref.where))
        if one is not None:
            estimates[ref] = one
    keys = sorted(
        joined([units(one) for one in estimates.values()]),
        key=lambda one: (one.started_at, one.key),
    )
    columns: dict[Ref, tuple[Value, ...]] = {}
    sides: dict[Ref, tuple[str, ...]] = {}
    for ref in references(expression):
        if ref not in estimates:
            name = ref.name.removeprefix("facts.")
            fact = resolved({name: observed.get(name)}, dict(ref.where))[name]
            value = fact if isinstance(fact, str | int | float | bool) else None
            columns[ref] = (value,) * max(1, len(keys))
            sides[ref] = ("",) * len(columns[ref])
            continue
        one = estimates[ref]
        values: tuple[Value, ...] = one.texts or one.values
        own = dict(zip((unit.key for unit in units(one)), values, strict=True))
        side_of = {unit.key: unit.censored for unit in units(one)}
        columns[ref] = tuple(own.get(key.key) for key in keys)
        sides[ref] = tuple(side_of.get(key.key, "") for key in keys)
    return Blocks(expression, columns, sides, tuple(estimates.values()))


def censored_truths(joint: Blocks) -> tuple[tuple[bool | None, ...], tuple[str, ...]]:
    """Say of each block whether the statement holds, and where a bound leaves that open.

    A bound decides where every value beyond it gives the same answer: both ends are tried.
    """
    plain = truths(joint.expression, joint.columns)
    held: list[bool | None] = []
    sides: list[str] = []
    for at, value in enumerate(plain):
        bounded = [ref for ref, column in joint.censored.items() if at < len(column) and column[at]]
        if not bounded:
            held.append(value)
            sides.append("")
            continue
        settled = _settled(joint, at, bounded)
        held.append(settled)
        sides.append("" if settled is not None else "unknown")
    return tuple(held), tuple(sides)


def _settled(joint: Blocks, at: int, bounded: Sequence[Ref]) -> bool | None:
    if len(bounded) > MOST_BOUNDS:
        return None
    ends = [_ends(joint.columns[ref][at], joint.censored[ref][at]) for ref in bounded]
    seen: set[bool | None] = set()
    for chosen in itertools.product(*ends):
        instead = dict(zip(bounded, chosen, strict=True))

        def lookup(ref: Ref, instead: Mapping[Ref, float] = instead) -> Value:
            if ref in instead:
                return instead[ref]
            value: Value = joint.columns[ref][at]
            return value

        value = evaluate(joint.expression, lookup)
        odd = isinstance(value, float) and math.isnan(value)
        seen.add(None if value is None or odd else bool(value))
    return seen.pop() if len(seen) == 1 else None


def _ends(value: Value, side: str) -> tuple[float, ...]:
    known = (value,) if isinstance(value, int | float) else ()
    if side == "above":
        return (*known, math.inf)
    if side == "below":
        return (-math.inf, *known)
    return (-math.inf, math.inf)


def _with_where(expression: Expression | None, where: tuple[tuple[str, str], ...]) -> Expression:
    """Narrow every reference by the claim's own `where`."""
    match expression:
        case Ref(name, own):
            return Ref(name, own + tuple(x for x in where if x[0] not in dict(own)))
        case Unary(op, operand):
            return Unary(op, _with_where(operand, where))
        case Binary(op, left, right):
            return Binary(op, _with_where(left, where), _with_where(right, where))
        case Number() | Word():
            return expression
        case _:
            raise TypeError("a claim without a statement")


def matching(
    measured: Sequence[Estimate], metric: str, where: Mapping[str, str]
) -> Estimate | None:
    """Find the one estimate that `where` names; None where there is none, or several."""
    matches = [
        item
        for item in measured
        if item.metric == metric
        and all(
            (item.step if key == "step" else item.treatment.get(key)) == level
            for key, level in where.items()
        )
    ]
    return matches[0] if len(matches) == 1 else None


def apart_across(claim: Claim, experiment: Experiment, blocks: Blocks) -> tuple[str, ...]:
    """Say of a `same` that does not hold which levels differ, in how many blocks, and how."""
    if claim.same is None:
        return ()
    across, apart = claim.same.across, []
    for refs in claim.same.groups(treatments(experiment), dict(claim.where)):
        first = _narrowed(refs[0], claim)
        for ref in (_narrowed(one, claim) for one in refs[1:]):
            pairs = list(zip(blocks.columns[first], blocks.columns[ref], strict=True))
            known = [(x, y) for x, y in pairs if x is not None and y is not None]
            other = [
                (x, y) for x, y in known
                if not evaluate(Binary("==", first, ref), {first: x, ref: y}.__getitem__)
            ]  # fmt: skip
            if other:
                where, base = dict(ref.where), dict(first.where)
                rest = ", ".join(f"{k}={v}" for k, v in where.items() if k != across)
                place = f" ({rest})" if rest else ""
                x, y = (str(value)[:SHOWN] for value in other[0])
                apart.append(
                    f"{across}={where[across]} differs from {across}={base[across]}{place} in "
                    f"{len(other)} of {len(known)} blocks: `{y}`, not `{x}`"
                )
    more = len(apart) - MOST_APART
    return (*apart[:MOST_APART], *([f"and {more} more differ"] if more > 0 else []))


def _narrowed(ref: Ref, claim: Claim) -> Ref:
    narrowed = _with_where(ref, tuple(claim.where.items()))
    assert isinstance(narrowed, Ref)  # noqa: S101 - a reference stays one
    return narrowed
