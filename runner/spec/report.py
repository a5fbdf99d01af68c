"""What the report shows beside what it always shows."""

from typing import Annotated

from pydantic import Field

from runner.spec.base import Model, Text


class Table(Model):
    """A table of estimates: a row per combination of levels, a column per metric."""

    rows: tuple[Text, ...] = Field((), description="Factors, or `step`")
    columns: Annotated[tuple[Text, ...], Field(min_length=1)]
    title: Text | None = None


class Figure(Model):
    """Metrics over the steps or the levels of a factor, or sampled sources over time."""

    show: Annotated[tuple[Text, ...], Field(min_length=1, max_length=4)] = Field(
        description="Metrics; over time, sampled sources such as `cgroup.anon`"
    )
    over: Text = Field("time", description="`time`, `step`, or a factor")
    title: Text | None = None


class Report(Model):
    """Further tables and figures, and what the reader should know."""

    table: Table | None = None
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[Text, ...] = ()

    def all_tables(self) -> tuple[Table, ...]:
        """`table` and `tables` as one."""
        return (*((self.table,) if self.table else ()), *self.tables)
