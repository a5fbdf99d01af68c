"""Published numbers: what a source says, and what has to match to judge it."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.records.quantities import COUNT, RATIO, Quantity, QuantityError, parse_as
from runner.records.units import POWERS, UnitError, read_unit
from runner.spec.base import NUMBER, Amount, Model, Ratio, Text, fault
from runner.spec.expressions import Expression, ExpressionError, parse_statement
from runner.spec.sections.same import Same

Scalar = str | int | float | bool
"""A fact's value as declared; booleans are facts too."""


class Range(Model):
    """One published number: a range, a value, or a value as it was rounded."""

    low: Amount | None = Field(None, description="Lower end, itself included")
    high: Amount | None = Field(None, description="Upper end, itself included")
    value: Amount | None = Field(None, description="One number, in place of a range")
    rounded_to: Amount | None = Field(
        None, description="Step that `value` was rounded to: 12.3 and 0.1 are 12.25 to 12.35"
    )
    plus_minus: Amount | None = Field(
        None, description="Half width around `value`: 12.3 and 0.1 are 12.2 to 12.4"
    )

    @model_validator(mode="after")
    def _form(self) -> "Range":
        ranged = self.low is not None or self.high is not None
        if ranged == (self.value is not None):
            raise fault("published", "needs either low and high (or one of them), or value")
        if ranged and (self.rounded_to is not None or self.plus_minus is not None):
            raise fault("published", "rounded_to and plus_minus go with value, not with a range")
        if self.low is not None and self.high is not None and self.low.exact > self.high.exact:
            raise fault("published", f"low ({self.low}) is above high ({self.high})")
        return self

    def bounds(self, unit: str = "") -> tuple[float | None, float | None]:
        """Give the published region in base units; bare numbers are in `unit`.

        `value: 12.3, rounded_to: 0.1` is [12.25, 12.35].
        """
        if self.value is not None:
            spread = self.plus_minus or self.rounded_to
            half = Fraction(0) if spread is None else _base(spread, unit)
            if self.plus_minus is None:
                half /= 2
            middle = _base(self.value, unit)
            return float(middle - half), float(middle + half)
        return (
            None if self.low is None else float(_base(self.low, unit)),
            None if self.high is None else float(_base(self.high, unit)),
        )

    def text(self, unit: str = "") -> str:
        """Give it as a reader would write it: `87–92 connections`."""
        said = [None if x is None else _written(x, unit) for x in self._all()]
        same = all(x is None or x.dimension == COUNT or _same(x, unit) for x in self._all())
        tail = f" {unit}" if unit not in ("", "1") and same else ""
        low, high, value, more = said
        if value is not None:
            return f"{value}{f' ± {more}' if more else ''}{tail}"
        if low is None:
            return f"≤ {high}{tail}"
        return f"≥ {low}{tail}" if high is None else f"{low}–{high}{tail}"

    def _all(self) -> tuple[Quantity | None, ...]:
        return (self.low, self.high, self.value, self.plus_minus)


MOST_SHOWN: Final = 9999
"""A published number that would be larger in a metric's unit keeps its own."""


def _same(amount: Quantity, unit: str) -> bool:
    """Say whether an amount can be written shortly in a unit, with nothing lost."""
    try:
        read = read_unit(unit)
    except UnitError:
        return False
    if unit in ("", "1") or read.powers != POWERS[amount.dimension]:
        return False
    value = float(amount.exact / read.size)
    if abs(value) > MOST_SHOWN:
        return False  # 2min-5min and not 120000-300000 ms
    return Fraction(f"{value:.6g}") * read.size == amount.exact


def _written(amount: Quantity, unit: str) -> str:
    """Write an amount in a unit, without it; one of another dimension with its own."""
    if amount.dimension == COUNT or not _same(amount, unit):
        return str(amount)
    return f"{float(amount.exact / read_unit(unit).size):.6g}"


def _base(amount: Quantity, unit: str) -> Fraction:
    if amount.dimension != COUNT:
        return amount.exact
    try:
        return amount.exact * read_unit(unit).size
    except UnitError:  # of an old record
        return amount.exact


def read_range(value: object) -> object:
    """Take a lone number as `value`."""
    return value if isinstance(value, (Mapping, Range)) else {"value": value}


RangeOf = Annotated[Range, BeforeValidator(read_range, json_schema_input_type=str | float | Range)]


class Published(Range):
    """The published number, or one for each level of a factor (or each step)."""

    by: Text | None = Field(
        None, description="Factor whose levels have numbers of their own, or step"
    )
    levels: dict[str, RangeOf] = Field(
        {}, description="A number for each level of the factor `by`, or for each step"
    )

    @model_validator(mode="after")
    def _form(self) -> "Published":
        if self.by is None and not self.levels:
            Range._form(self)  # type: ignore[operator]  # noqa: SLF001 - the same rule
            return self
        if self.by is None or not self.levels:
            raise fault("published", "by and levels go together")
        if any(x is not None for x in self._all()):
            raise fault("published", "has a number of its own beside those of its levels")
        return self


PublishedOf = Annotated[
    Published, BeforeValidator(read_range, json_schema_input_type=str | float | Published)
]


class Margin(Model):
    """How far from the published range still counts as the same; fixed before data."""

    absolute: Amount | None = Field(
        None, description="Distance from the published region, bare in the claim's unit"
    )
    relative: Ratio | None = Field(None, description="Share of the published ends, as 5%")
    why: Annotated[Text, Field(min_length=1)] = Field(
        description="Why so far is still the same; written before the data are seen"
    )

    @model_validator(mode="after")
    def _one(self) -> "Margin":
        if (self.absolute is None) == (self.relative is None):
            raise fault("margin", "needs exactly one of absolute and relative")
        return self

    def widen(
        self, bounds: tuple[float | None, float | None], unit: str = ""
    ) -> tuple[float | None, float | None]:
        """Widen a region given in base units."""
        low, high = bounds
        if self.absolute is not None:
            by = float(_base(self.absolute, unit))
            return (None if low is None else low - by, None if high is None else high + by)
        share = self.relative.ratio if self.relative is not None else 0.0
        return (
            None if low is None else low - abs(low) * share,
            None if high is None else high + abs(high) * share,
        )


def _expect(text: str) -> str:
    try:
        parse_statement(text)
    except ExpressionError as wrong:
        raise fault("expect", str(wrong)) from None
    return text


class Quantile(Model):
    """A quantile of the repetitions' values."""

    quantile: Annotated[float, Field(gt=0, lt=1), NUMBER] = Field(
        description="Above 0 and below 1: 0.99 is what one value in a hundred exceeds"
    )


_BOUND = re.compile(r"(\d+)\s+in\s+(\d+)")


def _bound(text: str) -> str:
    try:
        share = share_of(text)
    except (QuantityError, ZeroDivisionError):
        share = 0.0
    if not 0 < share < 1:
        raise fault("bound", f"`{text}` is not a share above 0 and below 1: write `1 in 20` or 5%")
    return text


def share_of(text: str) -> float:
    """Read `1 in 20`, `5%` or `0.05`."""
    match = _BOUND.fullmatch(text.strip())
    if match is not None:
        return int(match[1]) / int(match[2])
    return float(parse_as(RATIO, text).ratio)


class Claim(Model):
    """A published number or statement, judged by DESIGN's order of verdicts."""

    id: Text = Field(
        description="Short name, once in a spec: it is how reports, `claims` and CI name it"
    )
    section: Text | None = Field(None, description="Where in the source it stands")
    quote: Text = Field(description="The source's own words, at most a sentence")
    metric: Text | None = Field(None, description="What was measured, by its name under `metrics`")
    unit: Text | None = Field(None, description="Unit of bare published numbers; else the metric's")
    where: dict[str, Text] = Field(
        {}, description="Levels of factors, and `step`, that it is about"
    )
    published: PublishedOf | None = Field(
        None, description="The number: a value, a range, or one for each level of a factor"
    )
    expect: Annotated[Text, AfterValidator(_expect)] | None = Field(
        None, description="An order or a yes: `allocs[server=fasthttp] < allocs[server=nethttp]`"
    )
    same: Same | None = Field(
        None, description="`{metric: answer, across: tool}`: one answer, whichever tool ran"
    )
    margin: Margin | None = Field(
        None, description="How far from the published number is still the same"
    )
    must: tuple[Text, ...] = Field((), description="Facts that have to match")
    note: tuple[Text, ...] = Field((), description="Facts that are shown beside the verdict")
    declared: dict[str, Scalar] = Field({}, description="What the source says of facts")
    estimand: Literal["median", "mean", "rate", "never", "always"] | Quantile | None = Field(
        None,
        description="What of the distribution it speaks of: median (default), mean, "
        "{quantile: 0.9}, rate (share of repetitions), never, always",
    )
    bound: Annotated[Text, AfterValidator(_bound)] | None = Field(
        None, description="Of never and always: the share that is still the same, `1 in 20`"
    )
    order_effect: Text | None = Field(
        None, description="Why the values depend on when they were measured, where that is known"
    )
    scope: Literal["kind"] | None = Field(
        None,
        description="Of boards of this kind: each board is one unit, the median of its blocks; "
        "left out, it is of these boards",
    )
    testable: bool = Field(
        True,
        description="false: it cannot be measured here, and `why` says so; listed and not judged",
    )
    why: Text | None = Field(None, description="Why it cannot be tested")
    required: bool = Field(
        True, description="false: its verdict does not decide how `apply` and `verify` exit"
    )

    @model_validator(mode="after")
    def _form(self) -> "Claim":
        if self.same is not None and self.expect is not None:
            raise fault("same", f"claim {self.id} has `expect`, too: make two claims of them")
        if not self.testable:
            if not self.why:
                raise fault("claim", f"claim {self.id} is not testable: say why")
            return self
        kind = self.estimand_kind
        if kind in ("never", "always"):
            self._universal(kind)
            return self
        self._about_one_number(kind)
        if kind == "rate":
            return self
        if sum(x is not None for x in (self.published, self.expect, self.same)) != 1:
            said = "needs exactly one of published, expect and same"
            raise fault("claim", f"claim {self.id} {said}")
        if self.published is not None and self.metric is None:
            raise fault("claim", f"claim {self.id} names no metric for its published number")
        if self.margin is not None and self.published is None:
            raise fault("claim", f"claim {self.id} has a margin but no published number")
        return self

    def _about_one_number(self, kind: str) -> None:
        if self.bound is not None:
            raise fault("bound", f"claim {self.id} has a bound, and its estimand is {kind}")
        if kind in ("mean", "quantile", "rate") and self.published is None:
            raise fault("claim", f"claim {self.id}: a {kind} needs a published number")
        if kind == "rate" and (self.metric is None) is not self.states:
            raise fault("claim", f"claim {self.id}: a rate is of a metric or of `expect`")

    def _universal(self, kind: str) -> None:
        if self.bound is None:
            raise fault(
                "bound",
                f"claim {self.id}: `{kind}` needs a bound, such as `bound: 1 in 20`: no number of "
                "runs shows more (0 of 59 show 1 in 20)",
            )
        if self.published is not None or self.margin is not None:
            raise fault("claim", f"claim {self.id}: `{kind}` has no published number and no margin")
        if kind == "always" and (not self.states or self.metric is not None):
            raise fault(
                "claim", f"claim {self.id}: `always` is of a statement: give `expect` alone"
            )
        if (self.metric is None) is not self.states:
            raise fault("claim", f"claim {self.id}: `never` is of a metric or of `expect`")

    @property
    def states(self) -> bool:
        """Whether it is of a statement: something that holds in a block, or does not."""
        return self.expect is not None or self.same is not None

    @property
    def estimand_kind(self) -> str:
        """Name of the estimand."""
        if self.estimand is None or isinstance(self.estimand, str):
            return self.estimand or "median"
        return "quantile"

    @property
    def quantile(self) -> float:
        """Which quantile it is of: that of a median where it is of no other."""
        return self.estimand.quantile if isinstance(self.estimand, Quantile) else 0.5

    @property
    def limit(self) -> float:
        """Read `bound`; 0 where there is none."""
        return 0.0 if self.bound is None else share_of(self.bound)

    @property
    def statement(self) -> Expression | None:
        """Parsed `expect`; of `same` see `treatments.stated`, which knows the levels."""
        return None if self.expect is None else parse_statement(self.expect)
