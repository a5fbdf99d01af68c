"""What a metric's number is: the unit it is shown in, its dimension, its size as printed.

Numbers of a trial are in base units where their source has a unit of its own; a program's
are as it printed them, and the metric says in what (`unit`, or `printed_in` where it is shown
in another). A computed metric has the dimension that its arithmetic gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from runner.kinds.units import unit_of
from runner.records.units import (
    BASE_UNIT,
    COUNT,
    POWERS,
    RATIO,
    Unit,
    UnitError,
    read_unit,
)
from runner.spec.expressions import Binary, Expression, Number, Ref, Unary, Word
from runner.spec.sections.computed import directly, in_order

if TYPE_CHECKING:
    from runner.spec.metrics import Metric

Powers = tuple[int, ...]
PLAIN: Powers = (0, 0, 0, 0, 0)
SECOND: Powers = (0, 1, 0, 0, 0)
LEVELS = ("search.level", "search.last_passing", "search.first_failing")
"""Numbers of what a search varies: connections, or requests per second."""
LEVELLED = ("rate", "bytes")
"""What levels of a search may be beside counts."""


class DimensionError(ValueError):
    """Two dimensions do not go together; `key` is the key of the metric that says it."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Measure:
    """What a number is; `size` is that of one as printed, in base units."""

    unit: str
    """In which it is shown, and published without another; empty for a plain number."""
    powers: Powers = PLAIN
    size: Fraction = Fraction(1)
    free: bool = False
    """Nothing says a unit: the number is what the program printed."""

    def base(self, printed: float) -> float:
        """Give a number as it was printed in base units, rounded once."""
        return printed if self.size == 1 else float(Fraction(printed) * self.size)

    @property
    def said(self) -> str:
        """Name the dimension for a message, with the unit that it is in."""
        if self.powers == PLAIN and self.unit and self.unit != "%":
            return "a count" if self.unit == "1" else f"a count of {self.unit}"
        if self.unit == "%":
            return "a ratio"
        return dimension_name(self.powers) + (f", in {self.unit}" if self.unit else "")

    @property
    def counts(self) -> bool:
        """Whether it counts something by name: a share of it is something else."""
        return self.powers == PLAIN and self.unit not in ("", "1", "%")

    @property
    def needs_unit(self) -> bool:
        """Whether a bare number beside it leaves open what it counts."""
        frequency = self.unit.endswith("Hz")  # a bare 1500 may be meant in MHz
        return any(self.powers) and (frequency or self.powers != POWERS["rate"])


def dimension_name(powers: Powers) -> str:
    """Name a dimension: bytes, time, rate; of another its parts, `bytes^2`."""
    if powers == PLAIN:
        return "a number without a unit"
    for name, own in POWERS.items():
        if own == powers:
            return f"a {name}" if name not in ("bytes", "time") else name
    parts = ("bytes", "time", "temperature", "voltage", "current")
    return " · ".join(
        part if n == 1 else f"{part}^{n}" for part, n in zip(parts, powers, strict=True) if n
    )


def base_of(powers: Powers) -> str:
    """Name the base unit of a dimension; empty where it has no name."""
    if powers == PLAIN:
        return ""
    return next((BASE_UNIT[name] for name, own in POWERS.items() if own == powers), "")


def measure(
    metric: "Metric", metrics: Mapping[str, "Metric"], known: "Known | None" = None
) -> Measure:
    """Say what a metric's number is; DimensionError where its parts do not go together.

    `known` keeps what the metrics are that others are computed from, from call to call.
    """
    known = {} if known is None else known
    own = _computed(metric, metrics, known) if metric.compute else _own(metric)
    if metric.printed_in is not None:
        if not own.free:
            raise DimensionError(
                "printed_in", f"`{metric.source or metric.compute}` is in {own.unit or 'no unit'} "
                "by itself: leave out printed_in, unit is how it is shown",
            )  # fmt: skip
        own = _printed(metric.printed_in, own, metric)
    if metric.unit is None:
        return own
    unit = _read("unit", metric.unit)
    if own.free and metric.printed_in is None:
        return _printed(metric.unit, own, metric)
    if unit.powers != own.powers and not (_is_level(metric) and unit.dimension in LEVELLED):
        what = metric.source or metric.compute
        raise DimensionError(
            "unit", f"`{what}` is {own.said}; "
            f"`{metric.unit}` is {dimension_name(unit.powers)}",
        )  # fmt: skip
    if own.counts and unit.dimension == RATIO:
        what = metric.source or metric.compute
        raise DimensionError(
            "unit", f"`{what}` is {own.said}: a share of what? compute it, or leave out unit"
        )
    if own.unit == "%" and unit.dimension == COUNT and unit.name not in ("", "1"):
        what = metric.source or metric.compute
        raise DimensionError("unit", f"`{what}` is a ratio; `{metric.unit}` counts something")
    return replace(own, unit=metric.unit, powers=unit.powers)


def lenient(metric: "Metric", metrics: Mapping[str, "Metric"]) -> Measure:
    """Give the same for what is shown: no unit for a count, none checked of an old record's."""
    try:
        found = measure(metric, metrics)
    except DimensionError:
        return Measure(metric.unit or "")
    return replace(found, unit="") if found.unit == "1" else found


def bare_unit(metric: "Metric", metrics: Mapping[str, "Metric"]) -> str:
    """Give the unit of a bare published number: what the author says, else what the name says.

    A share that nobody calls `%` is a plain ratio: 0.001 is 0.1 %.
    """
    own = lenient(metric, metrics).unit
    return "" if own == "%" and not (metric.unit or metric.printed_in) else own


def number(name: str) -> Measure:
    """Say what a number is by its name, as rules name them."""
    unit = unit_of(name)
    if unit is None:
        return Measure("", free=True)
    return Measure(unit, read_unit(unit).powers)


def _read(key: str, text: str) -> Unit:
    try:
        return read_unit(text)
    except UnitError as wrong:
        raise DimensionError(key, str(wrong)) from None


def _is_level(metric: "Metric") -> bool:
    return metric.source in LEVELS


def _printed(text: str, own: Measure, metric: "Metric") -> Measure:
    """Take a unit as what the program prints; of a rate, what it prints by itself per second."""
    unit = _read("unit", text)
    if metric.as_ is not None and metric.as_.startswith("rate/"):
        if metric.printed_in is None:
            if unit.powers != own.powers:
                raise DimensionError(
                    "unit", f"`{text}` is {dimension_name(unit.powers)}, not a rate of plain "
                    "numbers: say printed_in, what the program counts in",
                )  # fmt: skip
            return Measure(text, unit.powers)
        powers = _per_second(unit.powers)
        return Measure(base_of(powers), powers, unit.size)
    return Measure(text, unit.powers, unit.size)


def _per_second(powers: Powers) -> Powers:
    return tuple(a - b for a, b in zip(powers, SECOND, strict=True))


def _own(metric: "Metric") -> Measure:
    if metric.statistic == "count":
        return Measure("")
    as_ = metric.as_ or ""
    if as_ and not as_.startswith("rate/"):
        return number(as_)
    own = number(str(metric.source))
    if not as_:
        return own
    powers = _per_second(own.powers)
    shown = as_.removeprefix("rate") if powers == POWERS["rate"] else base_of(powers)
    if powers == PLAIN:
        shown = "%"  # CPU time per time
    return Measure(shown, powers, free=own.free)


def _computed(metric: "Metric", metrics: Mapping[str, "Metric"], known: "Known") -> Measure:
    expression = metric.expression
    assert expression is not None  # noqa: S101 - the caller has seen it
    for name in directly(metric):
        for below in in_order(metrics, name) if name not in known else ():
            if below not in known and metrics[below] is not metric:
                known[below] = Measure("")  # of a circle, which is told elsewhere
                try:
                    known[below] = measure(metrics[below], metrics, known)
                except DimensionError as wrong:
                    known[below] = wrong

    def of(ref: Ref) -> Measure:
        found = known.get(ref.name, Measure("", free=ref.name not in metrics))
        if isinstance(found, DimensionError):
            raise found
        return found

    return arithmetic(expression, of, "compute")


def arithmetic(expression: Expression, of: "Lookup", key: str) -> Measure:
    """Give what an expression's value is; a comparison gives a plain number."""
    match expression:
        case Number(value):
            unit = BASE_UNIT[value.dimension]
            return Measure(unit, POWERS[value.dimension], free=value.dimension == COUNT)
        case Word():
            return Measure("", free=True)
        case Ref():
            return of(expression)
        case Unary(_, operand):
            return arithmetic(operand, of, key)
        case Binary(op, left, right):
            return _binary(op, left, right, of, key)


def _binary(op: str, left: Expression, right: Expression, of: "Lookup", key: str) -> Measure:
    one, other = arithmetic(left, of, key), arithmetic(right, of, key)
    if op in ("*", "/"):
        sign = 1 if op == "*" else -1
        powers = tuple(a + sign * b for a, b in zip(one.powers, other.powers, strict=True))
        return Measure(base_of(powers), powers, free=one.free and other.free)
    if op in ("and", "or"):
        return Measure("")
    if one.powers != other.powers and not (_zero(left) or _zero(right)):
        sides = ((left, other), (right, one))
        bare = next((node for node, beside in sides if _bare(node) and beside.needs_unit), None)
        if bare is not None:
            beside = other if bare is left else one
            how = f"{_text(bare)}{beside.unit}"
            if not beside.unit:  # of no unit with a name
                how = f"numbers with units, as `9MiB / 1s`: it is {beside.said} there"
            raise DimensionError(key, f"{_text(bare)} of what? write {how}")
        if not (_bare(left) or _bare(right)):
            raise DimensionError(
                key, f"`{_text(left)}` is {one.said} and `{_text(right)}` is {other.said}: "
                f"`{op}` needs two of one kind",
            )  # fmt: skip
    if op in ("+", "-"):
        unit = one.unit if one.unit == other.unit else base_of(one.powers)
        return Measure(unit, one.powers, free=one.free and other.free)
    return Measure("")


def _bare(node: Expression) -> bool:
    return isinstance(node, Number) and node.value.dimension in (COUNT, RATIO)


def _zero(node: Expression) -> bool:
    return isinstance(node, Number) and node.value.exact == 0


def _text(node: Expression) -> str:
    match node:
        case Number(value):
            return str(value)
        case Word(text):
            return f"'{text}'"
        case Ref(name):
            return name
        case Unary(op, operand):
            return f"{op} {_text(operand)}"
        case Binary(op, left, right):
            return f"{_text(left)} {op} {_text(right)}"


if TYPE_CHECKING:
    from collections.abc import Callable

    Lookup = Callable[[Ref], Measure]
    Known = dict[str, Measure | DimensionError]
