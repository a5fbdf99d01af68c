"""`expect:` of a claim and `compute:` of a metric, evaluated block by block.

A block is one repetition: `allocs[server=fasthttp] < allocs[server=nethttp]` is
decided within each, so what a block has in common cancels. What is missing is
unknown, never 0 and never false; `false and unknown` is false all the same
(Kleene, Introduction to Metamathematics, 1952, §64).
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.nearly import COMPARE, same
from runner.spec.expressions import COMPARISONS, Binary, Number, Ref, Unary, Word, references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.spec.expressions import Expression

    Value = float | str | bool | None

_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def evaluate(  # noqa: PLR0911 - one return for each kind of node
    expression: Expression, lookup: Callable[[Ref], Value]
) -> Value:
    """Evaluate in base units; None where something that decides it is unknown."""
    match expression:
        case Number(value):
            return float(value.exact)
        case Word(text):
            return text
        case Ref():
            return lookup(expression)
        case Unary(op, operand):
            argument = evaluate(operand, lookup)
            if argument is None:
                return None
            return (not argument) if op == "not" else -_number(argument)
        case Binary("and" | "or" as op, left, right):
            return _joined(op, evaluate(left, lookup), evaluate(right, lookup))
        case Binary(op, left, right):
            return _binary(op, evaluate(left, lookup), evaluate(right, lookup))


def nothing_to_divide_by(expression: Expression, lookup: Callable[[Ref], Value]) -> str:
    """Say which divisor is 0, in the words of the spec; empty where none is."""
    match expression:
        case Unary(_, operand):
            return nothing_to_divide_by(operand, lookup)
        case Binary(op, left, right):
            if op == "/" and evaluate(right, lookup) == 0:
                names = " and ".join(ref.name for ref in references(right))
                return f"no {names} (0), so there is nothing to divide by"
            return nothing_to_divide_by(left, lookup) or nothing_to_divide_by(right, lookup)
        case _:
            return ""


def by_block(expression: Expression, values: Mapping[Ref, Sequence[Value]]) -> tuple[Value, ...]:
    """Evaluate once per block; `values` holds for each reference one value per block."""
    refs = references(expression)
    count = max((len(values[ref]) for ref in refs), default=0)

    def at(block: int) -> Callable[[Ref], Value]:
        return lambda ref: values[ref][block] if block < len(values[ref]) else None

    return tuple(evaluate(expression, at(block)) for block in range(count))


def truths(
    expression: Expression, values: Mapping[Ref, Sequence[Value]]
) -> tuple[bool | None, ...]:
    """Say for each block whether the statement holds; None where that is unknown."""
    by_blocks = by_block(expression, values)
    return tuple(None if value is None else bool(value) for value in by_blocks)


def differences(
    expression: Expression, values: Mapping[Ref, Sequence[Value]]
) -> tuple[tuple[float | None, ...], tuple[float | None, float | None]] | None:
    """Give left - right per block, and the region it has to lie in; None for other statements.

    Only for one comparison of numbers: it shows how far apart the two sides are.
    """
    if not isinstance(expression, Binary) or expression.op not in COMPARISONS:
        return None
    apart = by_block(Binary("-", expression.left, expression.right), values)
    if any(isinstance(value, str) for value in apart):
        return None
    numbers = tuple(None if value is None else float(value) for value in apart)
    regions: dict[str, tuple[float | None, float | None]] = {
        "<": (None, 0.0), "<=": (None, 0.0), ">": (0.0, None), ">=": (0.0, None), "==": (0.0, 0.0),
    }  # fmt: skip
    region = regions.get(expression.op)
    return None if region is None else (numbers, region)


def _number(value: Value) -> float:
    return float("nan") if value is None or isinstance(value, str) else float(value)


def _joined(op: str, left: Value, right: Value) -> bool | None:
    decides = op == "or"
    known = [bool(value) for value in (left, right) if value is not None]
    if decides in known:
        return decides
    return (not decides) if len(known) == 2 else None


def _binary(op: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if op in ("==", "!="):
        if isinstance(left, str) or isinstance(right, str):
            equal = str(left) == str(right)
        else:
            equal = same(float(left), float(right))
        return equal if op == "==" else not equal
    if isinstance(left, str) or isinstance(right, str):
        return None
    one, other = float(left), float(right)
    if op in COMPARE:
        return COMPARE[op](one, other)
    if op == "/":
        return one / other if other else None
    return _ARITHMETIC[op](one, other)
