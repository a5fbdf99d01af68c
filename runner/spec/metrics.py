"""What is reported: a source, which part of a trial, and how it becomes one number."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.records.quantities import COUNT, Quantity, QuantityError, unit_factor
from runner.records.steps import Asked
from runner.spec.base import Amount, Duration, Model, Text, did_you_mean, fault
from runner.spec.expressions import Expression, ExpressionError, parse_expression
from runner.spec.sections.printed import (
    PATTERNED,
    Series,
    Skip,
    Statistic,
    asked,
    check_printed,
    faults_of,
    is_printed,
    pattern_groups,
)


def _reference(text: str) -> str:
    problem = check_printed(text)
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


def _positive(step: Quantity) -> Quantity:
    if step.exact <= 0:
        raise fault("resolution", f"`{step}` is not a step: write a number above 0, such as 1")
    return step


def _pattern(text: str) -> str:
    pattern_groups(text)
    return text


class Metric(Model):
    """One thing measured; null with a reason where it does not exist."""

    source: ReferenceText | None = Field(
        None,
        alias="from",
        description="Where the number comes from: procfs.rss, load.p99, stdout.json.ms; "
        "docs/metrics.md has all",
    )
    compute: Annotated[Text, AfterValidator(_compute)] | None = Field(
        None, description="Arithmetic over other metrics: `rss_peak - rss_idle`"
    )
    per: Literal["trial", "step"] = Field(
        "trial", description="step: a number for each step; trial: one for all"
    )
    at: Text | None = Field(
        None,
        description="Only there: `search.level`, as every metric of a search that says nothing, "
        "or the name of a step",
    )
    after: Duration | None = Field(None, description="Only this long after the workload was ready")
    statistic: Statistic | None = Field(
        None,
        description="How samples become one number; of what a program prints, how all matches, "
        "items or rows do, where it would else be the last",
    )
    skip: Skip | None = Field(
        None,
        description="Of what is printed so many of the first are thrown away: 2, 10%, or 5s of "
        "a series",
    )
    series: Series | None = Field(
        None, description="Printed over time: {t: …, v: …} of each item, drawn like a sample"
    )
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
    kind: Literal["sampled", "exact", "text"] = Field(
        "sampled",
        description="exact: the same in every repetition (a file's size); text: a word, such as a "
        "verdict, that is counted",
    )
    better: Literal["higher", "lower"] | None = Field(
        None, description="Which way is better, for summaries and comparisons"
    )
    pattern: Annotated[Text, AfterValidator(_pattern)] | None = Field(
        None, description="Regular expression of stdout.regex; its group is the number"
    )
    range: tuple[Amount | None, Amount | None] | None = Field(
        None,
        description="What its instrument can show, [low, high]: a value at an end, or beyond it, "
        "counts by its rank (censored)",
    )
    title: Text | None = Field(None, description="Heading of its column")

    @model_validator(mode="after")
    def _origin(self) -> "Metric":
        if (self.source is None) == (self.compute is None):
            raise fault("metric", "needs exactly one of from and compute")
        for key in ("at", "after", "statistic", "as_") if self.compute is not None else ():
            if getattr(self, key) is not None:
                said = f"`{key.rstrip('_')}` is of what is measured: say it beside the metrics"
                raise fault("metric", f"{said} that `{self.compute}` is of")
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
        if self.kind == "text":
            self._text()
        problem = faults_of(self.source, self.pattern, self.statistic, self.skip, self.series)
        if problem:
            raise fault("metric", problem)
        return self

    def _text(self) -> None:
        """Refuse what only numbers have."""
        if self.compute is not None:
            raise fault("metric", "a text is not computed: kind: text needs from")
        for key in ("unit", "printed_in", "resolution", "range", "better", "series", "as_"):
            if getattr(self, key) is not None:
                raise fault("metric", f"a text has no `{key.rstrip('_')}`: kind: text is counted")
        if self.statistic not in (None, "first", "last"):
            raise fault("metric", f"texts have no {self.statistic}: say first or last, or nothing")

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
        """Name of the number it is in a step: `procfs.rss`, `stdout.regex(took (.*) ms)`.

        One that is made of many says how: `stdout.json.runs.*.ms[median, skip 2]`.
        """
        if self.many:
            of = f"({self.pattern})" if self.pattern else ""
            drawn = f", {self.series.v} over {self.series.t}" if self.series else ""
            left = f", skip {self.skip}" if self.skip is not None else ""
            return f"{self.source}{of}[{self.statistic}{left}{drawn}]"
        if self.pattern:
            return f"{self.source}({self.pattern})"
        # a benchmark may be written as Go prints it: gobench.Copy/size-64.ns_per_op
        source = str(self.source)
        return source.replace("/", ".") if source.startswith("gobench.") else source

    @property
    def many(self) -> bool:
        """Whether it is made of all matches, items or rows that a program prints."""
        return is_printed(self.source) and self.statistic is not None

    @property
    def asked(self) -> Asked | None:
        """Say of which many numbers it is made; None where it is not."""
        if not self.many:
            return None
        return asked(
            self.number, str(self.source), self.pattern, self.statistic, self.skip, self.series
        )

    @property
    def expression(self) -> Expression | None:
        """Arithmetic of a computed metric."""
        return None if self.compute is None else parse_expression(self.compute)


def read_metric(value: object) -> object:
    """Take `name: procfs.rss` as its source."""
    return value if isinstance(value, (Mapping, Metric)) else {"from": value}


MetricOf = Annotated[Metric, BeforeValidator(read_metric, json_schema_input_type=str | Metric)]

AGAINST = ("vs_baseline", "ratio", "difference")
"""Columns that need a baseline."""
SUFFIXES = (*AGAINST, "n", "interval", "mean")
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
