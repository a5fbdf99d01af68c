"""What the report shows beside what it always shows."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from runner.kinds import discovery
from runner.spec.base import Model, Text, did_you_mean, fault


class Table(Model):
    """A table of estimates: a row per combination of levels, a column per metric."""

    rows: tuple[Text, ...] = Field((), description="Factors, or `step`")
    columns: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="Metrics, and what derives from them: rss, rss.vs_baseline, rss.interval"
    )
    title: Text | None = Field(None, description="Its heading")


def _kind(name: str) -> str:
    if not discovery.known("figures", name):
        known = discovery.names("figures")
        raise fault("figure_kind", f"unknown figure `{name}`{did_you_mean(name, known)}")
    return name


class Figure(Model):
    """Metrics over the steps or the levels of a factor, or sampled sources over time."""

    show: Annotated[tuple[Text, ...], Field(min_length=1, max_length=4)] = Field(
        description="Metrics; over time, sampled sources such as `cgroup.anon`"
    )
    over: Text = Field("time", description="`time`, `step`, or a factor")
    title: Text | None = Field(None, description="Its heading; else what is shown over what")
    split: Literal["board"] | None = Field(None, description="One drawing for each board")
    kind: Annotated[Text, AfterValidator(_kind)] | None = Field(
        None,
        description="How it is drawn: over_time, points, box, cdf, or a kind of an outside "
        "package; left out: over_time where it is over time, else points",
    )

    @property
    def drawn(self) -> str:
        """The kind that it is drawn by."""
        return self.kind or ("over_time" if self.over == "time" else "points")

    @property
    def heading(self) -> str:
        """Its title, or what is shown over what."""
        return self.title or f"{', '.join(self.show)} over {self.over}"

    @model_validator(mode="after")
    def _drawn_over(self) -> "Figure":
        timeless = self.kind in ("points", "box", "cdf")
        if (self.over == "time" and timeless) or (self.over != "time" and self.kind == "over_time"):
            what = "time alone" if self.kind == "over_time" else "`step` or a factor"
            raise fault("figure_kind", f"`{self.kind}` is drawn over {what}")
        return self


class Report(Model):
    """Further tables and figures, and what the reader should know."""

    table: Table | None = Field(None, description="One further table")
    tables: tuple[Table, ...] = Field((), description="Several further tables")
    figures: tuple[Figure, ...] = Field((), description="Further figures")
    notes: tuple[Text, ...] = Field((), description="Sentences for the reader, as written")
