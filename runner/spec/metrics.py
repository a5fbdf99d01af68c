"""What is reported: a source, which part of a trial, and how it becomes one number."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.records.patterns import PatternError, compiled
from runner.records.quantities import COUNT, Quantity, QuantityError, unit_factor
from runner.spec.base import Amount, Duration, Model, Text, did_you_mean, fault
from runner.spec.expressions import Expression, ExpressionError, parse_expression
from runner.spec.references import STATISTICS, check_reference

Statistic = Literal["max", "min", "mean", "median", "last", "first", "sum", "count"]
assert set(STATISTICS) >= set(Statistic.__args__)  # type: ignore[attr-defined]  # noqa: S101


def _reference(text: str) -> str:
    problem = check_reference(text)
    if problem:
        raise fault("source", problem)
    return text


def _as(text: str) -> str:
    if text.startswith("rate/"):
        from runner.records.quantities import RATE
        from runner.records.units import KNOWN

        if KNOWN.get(text.removeprefix("rate"), ("",))[0] != RATE:
            raise fault("as", f"`{text}` is not a rate: write rate/s, rate/min or rate/h")
        return text
    return _reference(text)


def _compute(text: str) -> str:
    try:
        parse_expression(text)
    except ExpressionError as wrong:
        raise fault("expression", str(wrong)) from None
    return text


ReferenceText = Annotated[Text, AfterValidator(_reference)]


MOMENT = "cgroup.first_oom"
PATTERNED = ("stdout.regex", "stderr.regex")


def _positive(step: Quantity) -> Quantity:
    if step.exact <= 0:
        raise fault("resolution", f"`{step}` is not a step: write a number above 0, such as 1")
    return step


def _pattern(text: str) -> str:
    try:
        groups = compiled(text).groups
    except PatternError as wrong:
        raise fault("pattern", str(wrong)) from None
    if groups > 1:
        raise fault("pattern", f"`{text}` has {groups} groups: one number needs one, or none")
    return text


class Metric(Model):
    """One thing measured; null with a reason where it does not exist."""

    source: ReferenceText | None = Field(None, alias="from")
    compute: Annotated[Text, AfterValidator(_compute)] | None = Field(
        None, description="Arithmetic over other metrics: `rss_peak - rss_idle`"
    )
    per: Literal["trial", "step"] = "trial"
    at: Text | None = Field(None, description="Only there: `search.level`, or the name of a step")
    after: Duration | None = Field(None, description="Only this long after the workload was ready")
    statistic: Statistic | None = Field(None, description="How samples become one number")
    as_: Annotated[Text, AfterValidator(_as)] | None = Field(
        None, alias="as", description="rate/min of a counter, or another value at that moment"
    )
    unit: Text | None = Field(
        None,
        description="Unit in which it is shown. A program's own output has no units: there it is "
        "the unit that is printed",
    )
    printed_in: Text | None = Field(
        None, description="Unit that a program prints, where it is shown in another `unit`"
    )
    resolution: Annotated[Amount, AfterValidator(_positive)] | None = Field(
        None, description="Smallest step of what is printed, in `unit`: 1 for whole units"
    )
    kind: Literal["sampled", "exact"] = Field(
        "sampled", description="exact: the same in every repetition (a file's size)"
    )
    better: Literal["higher", "lower"] | None = None
    pattern: Annotated[Text, AfterValidator(_pattern)] | None = Field(
        None, description="Regular expression of stdout.regex; its group is the number"
    )
    range: tuple[Amount | None, Amount | None] | None = Field(
        None,
        description="What its instrument can show, [low, high]: a value at an end, or beyond it, "
        "counts by its rank (censored)",
    )
    title: Text | None = None

    @model_validator(mode="after")
    def _origin(self) -> "Metric":
        if (self.source is None) == (self.compute is None):
            raise fault("metric", "needs exactly one of from and compute")
        wants = self.source in PATTERNED
        if wants and self.pattern is None:
            raise fault("metric", f"`{self.source}` needs a pattern, a regular expression")
        moment = self.as_ is not None and not self.as_.startswith("rate/")
        if moment and self.source != MOMENT:
            raise fault("as", f"`as: {self.as_}` needs a moment: from: {MOMENT}")
        low, high = self.ends
        if low is not None and high is not None and low >= high:
            raise fault("range", f"the range from {low:g} to {high:g} does not rise")
        if self.pattern is not None and not wants:
            raise fault("metric", f"a pattern needs from: {' or '.join(PATTERNED)}")
        return self

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """The instrument's range in base units; a bare number is in the metric's unit."""
        try:
            factor = unit_factor(self.unit or "")[1]
        except QuantityError:  # said where the unit stands
            return None, None
        low, high = (
            None if end is None else float(end.exact * (factor if end.dimension == COUNT else 1))
            for end in self.range or (None, None)
        )
        return low, high

    @property
    def number(self) -> str:
        """Name of the number it is in a step: `procfs.rss`, `stdout.regex(took (.*) ms)`."""
        if self.pattern:
            return f"{self.source}({self.pattern})"
        # a benchmark may be written as Go prints it: gobench.Copy/size-64.ns_per_op
        source = str(self.source)
        return source.replace("/", ".") if source.startswith("gobench.") else source

    @property
    def expression(self) -> Expression | None:
        """Arithmetic of a computed metric."""
        return None if self.compute is None else parse_expression(self.compute)


def read_metric(value: object) -> object:
    """Take `name: procfs.rss` as its source."""
    return value if isinstance(value, (Mapping, Metric)) else {"from": value}


MetricOf = Annotated[
    Metric, BeforeValidator(read_metric, json_schema_input_type=str | dict[str, object])
]

SUFFIXES = ("vs_baseline", "ratio", "difference", "n", "interval", "mean")
"""Columns that a table can derive from a metric: `binary_size.vs_baseline`."""


def check_column(text: str, metrics: Collection[str]) -> str | None:
    """Say what is wrong with a table's column, or None."""
    if text in metrics:
        return None
    stem, dot, suffix = text.rpartition(".")
    if dot and stem in metrics:
        if suffix in SUFFIXES:
            return None
        return f"`{stem}` has no column `{suffix}`{did_you_mean(suffix, SUFFIXES)}"
    return f"unknown metric `{text}`{did_you_mean(text, metrics)}"
