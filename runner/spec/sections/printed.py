"""Numbers that a program prints: which of many, what is thrown away, and what is a series."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.records.patterns import PatternError, compiled
from runner.records.quantities import COUNT, RATIO, TIME, Quantity
from runner.records.steps import Asked, SkipBy
from runner.records.units import POWERS, Unit, UnitError, read_unit
from runner.spec.base import Amount, Bare, Model, Text, as_text, fault
from runner.spec.references import STATISTICS, check_reference

Statistic = Literal["max", "min", "mean", "median", "last", "first", "sum", "count"]
assert set(STATISTICS) >= set(Statistic.__args__)  # type: ignore[attr-defined]  # noqa: S101
STREAMS = ("stdout.", "stderr.")
PATTERNED = ("stdout.regex", "stderr.regex")
TABLES = ("stdout.csv", "stderr.csv", "stdout.jsonl", "stderr.jsonl")
"""Of which one column is named, or with `series` two."""
OBJECTS = ("stdout.json", "stderr.json")
"""Of which one value is named."""
WHOLE = ("regex", "csv", "jsonl", "json")
"""What of a stream other keys of a metric say more of."""


def _skip(amount: Quantity) -> Quantity:
    if amount.dimension not in (COUNT, RATIO, TIME):
        raise fault("skip", f"`{amount}` is not a part of a list: write 2, 10% or 5s")
    if amount.exact < 0:
        raise fault("skip", f"`{amount}` is below 0")
    if amount.dimension == COUNT and amount.exact.denominator != 1:
        raise fault("skip", f"`{amount}` is not a whole number of items")
    if amount.dimension == RATIO and amount.exact >= 1:
        raise fault("skip", f"`{amount}` throws everything away")
    return amount


Skip = Annotated[Amount, AfterValidator(_skip)]
Place = Annotated[Text, BeforeValidator(as_text, json_schema_input_type=str | int)]


class Series(Model):
    """Where time and value of a number that is printed over time stand in each item."""

    t: Place = Field(
        description="Its time: a path in each item, a column, or the number of a group of pattern"
    )
    v: Place = Field(description="Its value, likewise")
    unit: Text = Field("s", description="Unit of the time")
    since: Literal["start", "unix"] = Field(
        "start", description="start: of the workload; unix: since 1970"
    )

    @model_validator(mode="after")
    def _time(self) -> "Series":
        _ = self.seconds
        return self

    @property
    def seconds(self) -> float:
        """Seconds that one of the printed time is."""
        unit = _unit(self.unit)
        if unit.powers != POWERS["time"]:
            raise fault("series", f"unit: `{self.unit}` is not a unit of time")
        return float(unit.size)


def _unit(text: str) -> Unit:
    try:
        return read_unit(text)
    except UnitError as wrong:
        raise fault("unit", str(wrong)) from None


def pattern_groups(text: str) -> int:
    """Give how many groups a regular expression has; a fault where it is none."""
    try:
        return compiled(text).groups
    except PatternError as wrong:
        raise fault("pattern", str(wrong)) from None


def check_printed(source: str) -> str | None:
    """Say what is wrong with where a number comes from, or None: a name, a pattern or a table."""
    return check_reference(source, WHOLE if is_printed(source) else ())


def is_printed(source: str | None) -> bool:
    """Whether a source is a stream of a program, of which there may be many numbers."""
    return source is not None and source.startswith(STREAMS)


def faults_of(
    source: str | None,
    pattern: str | None,
    statistic: str | None,
    skip: Quantity | None,
    series: Series | None,
) -> str | None:
    """Say what of a number that is made of many does not go together, or None."""
    printed = is_printed(source)
    if source in OBJECTS:
        return f"`{source}` is a whole object: name a value of it, as in `{source}.ms`"
    if source in TABLES and series is None:
        return f"`{source}` has many columns: name one, as in `{source}.ms`, or say series: t and v"
    found = None if pattern is None else _groups(pattern, series)
    if skip is not None and skip.dimension == TIME and series is None:
        found = f"`skip: {skip}` needs times: say series, or skip a number of items"
    if printed and "*" in str(source).split(".") and statistic is None:
        found = f"`{source}` is many numbers: say statistic, such as median"
    for key, given in (("skip", skip), ("series", series)):
        if given is not None and not printed:
            found = f"`{key}` is of what a program prints: from: stdout.regex, .json, .jsonl, .csv"
        elif given is not None and statistic is None:
            found = f"`{key}` leaves many numbers: say statistic, such as median"
    return found


def _groups(pattern: str, series: Series | None) -> str | None:
    groups = pattern_groups(pattern)
    if series is None:
        many = f"`{pattern}` has {groups} groups: one number needs one, or none"
        return many if groups > 1 else None
    for group in (series.t, series.v):
        if not group.isdecimal() or not 1 <= int(group) <= groups:
            return f"series: `{group}` is not a group of the pattern, which has {groups}"
    return None


def asked(
    name: str,
    source: str,
    pattern: str | None,
    statistic: str | None,
    skip: Quantity | None,
    series: Series | None = None,
    size: float = 1.0,
) -> Asked:
    """Give the same as the data that parsers take."""
    by: SkipBy = "items"
    if skip is not None and skip.dimension != COUNT:
        by = "share" if skip.dimension == RATIO else "seconds"
    return Asked(
        name,
        source,
        pattern or "",
        statistic or "last",
        0.0 if skip is None else float(skip.exact),
        by,
        "" if series is None else series.t,
        "" if series is None else series.v,
        1.0 if series is None else series.seconds,
        size,
    )


def _source(text: str) -> str:
    problem = check_printed(text)
    if problem is None and not is_printed(text):
        problem = f"`{text}` is not printed by the load: stdout or stderr, .regex, .json, .csv"
    if problem:
        raise fault("source", problem)
    return text


class LoadNumber(Bare):
    """One number that a load program prints; a bare text is a pattern of stdout."""

    bare = "pattern"

    source: Annotated[Text, AfterValidator(_source)] = Field(
        "stdout.regex",
        alias="from",
        description="Where in what it prints, as stdout.json.latency.p99",
    )
    pattern: Text | None = Field(None, description="Regular expression; its group is the number")
    statistic: Statistic | None = Field(None, description="Of all that match; else the last one")
    skip: Skip | None = Field(None, description="So many of the first are thrown away: 2, 10%")
    unit: Text | None = Field(None, description="Unit that is printed")

    @model_validator(mode="after")
    def _together(self) -> "LoadNumber":
        if (self.source in PATTERNED) != (self.pattern is not None):
            raise fault("load_number", "a pattern goes with from: stdout.regex or stderr.regex")
        problem = faults_of(self.source, self.pattern, self.statistic, self.skip, None)
        if problem:
            raise fault("load_number", problem)
        return self

    def asked(self, name: str) -> Asked:
        """Give what is looked for; a fault where its unit is not one of that number."""
        return asked(
            name, self.source, self.pattern, self.statistic, self.skip, None, self._size(name)
        )

    def _size(self, name: str) -> float:
        from runner.kinds.units import unit_of

        own = unit_of(f"load.{name}")
        if own is None:
            if self.unit is not None:
                raise fault(
                    "load_number",
                    f"`{name}` is a name of your own: say its unit at the metric from: "
                    f"command.{name}",
                )
            return 1.0
        wanted = read_unit(own)
        unit = _unit(self.unit or own)
        if unit.powers != wanted.powers:
            raise fault("load_number", f"`load.{name}` is in {own}, and `{self.unit}` is not")
        if self.unit is None and wanted.powers == POWERS["time"]:
            raise fault("load_number", f"`{name}` is a time: say the unit that is printed")
        return float(unit.size)
