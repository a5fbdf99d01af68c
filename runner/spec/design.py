"""The design: factors and their levels, repetitions and their order, the search."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_serializer, model_validator

from runner.records.quantities import BYTES, COUNT, RATE, parse
from runner.spec.base import (
    NUMBER,
    Amount,
    Model,
    Ratio,
    Text,
    Texts,
    as_text,
    fault,
    shape,
)
from runner.spec.sections.cooldown import CooldownOf
from runner.spec.sections.levels import Changes, LevelFiles, LevelRange
from runner.spec.sections.replication import Replication

MAX_REPETITIONS = 10_000
MAX_LEVELS = 1_000
OVERRIDABLE = ("system", "build", "workload", "load")
"""Sections that a level may change."""
SET = "set"
"""Key of a level whose values are filled in for `{name}`, as the level is for `{factor}`."""


class Factor(Model):
    """What is varied; each level changes parts of the spec, or only fills in `{factor}`."""

    levels: dict[str, dict[str, object]]
    """Level name → sections to merge over the spec's own; empty for a plain value."""

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return self.levels

    def words(self, level: str) -> dict[str, str]:
        """What `set` of a level says, by name."""
        said = self.levels[level].get(SET)
        return {str(k): as_text(v) for k, v in said.items()} if isinstance(said, Mapping) else {}

    def names(self) -> tuple[str, ...]:
        """Level names in the order written."""
        return tuple(self.levels)


def read_factor(value: object) -> object:
    """Take `[a, b]` and `{name: {build: …}}`; both become `levels`."""
    if isinstance(value, Factor):
        return value
    if isinstance(value, (list, tuple)):
        names = [as_text(level) for level in value]
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise fault("factor", f"the level `{twice}` is there twice")
        value = {name: {} for name in names}
    if isinstance(value, Mapping) and not value:
        raise fault("factor", "has no level: write at least one")
    if not isinstance(value, Mapping):
        raise fault("factor", f"has to be a list of levels or a mapping, not {shape(value)}")
    if len(value) > MAX_LEVELS:
        raise fault("factor", f"has {len(value)} levels; at most {MAX_LEVELS} are run")
    return {"levels": {as_text(name): _level(name, level) for name, level in value.items()}}


def _level(name: object, level: object) -> dict[str, object]:
    if level is None:
        return {}
    if not isinstance(level, Mapping):
        wanted = "a mapping such as {build: …}"
        raise fault("factor", f"the level `{name}` has to be {wanted}, not {shape(level)}")
    words = level.get(SET)
    if words is not None and not isinstance(words, Mapping):
        raise fault("factor", f"`set` of `{name}` has to be a mapping, not {shape(words)}")
    for word, value in (words or {}).items():
        if not _WORD.fullmatch(str(word)):
            raise fault("factor", f"`{word}` cannot stand in braces: letters, digits and _")
        if isinstance(value, (Mapping, list, tuple)) or value is None:
            raise fault("factor", f"`set: {{{word}}}` has to be a text or a number")
    return dict(level)


_WORD = re.compile(r"[A-Za-z_]\w*")


class Skip(Model):
    """A cell of the matrix that is left out."""

    when: Annotated[dict[str, Texts], Field(min_length=1)] = Field(
        description="Levels by factor; of several, any"
    )
    why: Text = Field("", description="Shown beside what was left out")

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        when = {name: lv[0] if len(lv) == 1 else list(lv) for name, lv in self.when.items()}
        return {"when": when, "why": self.why}


class StopWhen(Model):
    """Repeating ends when the interval is narrow enough; it never looks at a verdict."""

    interval: Ratio = Field(parse("90%"), description="Confidence of the interval")
    half_width: Ratio = Field(
        description="Half of its width that is narrow enough, as a share of the estimate"
    )
    metric: Text | None = Field(None, description="All metrics where none is named")


class Order(Model):
    """In which order the trials run."""

    by: Literal["blocks", "interleaved", "random", "written"] = Field(
        "blocks",
        description="blocks: shuffled within each repetition; interleaved: the first treatment "
        "moves on by one; random: all shuffled together; written: as in the spec",
    )
    seed: Annotated[int, Field(ge=0, lt=2**63), NUMBER] | None = Field(
        None, description="Of the shuffling; drawn and recorded where it is left out"
    )
    together: Literal["state"] | None = Field(
        None,
        description="Treatments of equal `system` stand together inside a block, which costs "
        "fewer changes of state; not with `random`",
    )

    @model_validator(mode="after")
    def _blocks(self) -> "Order":
        if self.together is not None and self.by == "random":
            raise fault("order", "`random` mixes all blocks: leave out `together`, or use blocks")
        return self


Times = Annotated[int, Field(ge=1, le=MAX_REPETITIONS), NUMBER]


def read_per_board(value: object) -> object:
    """Take `per_board: 3` as exactly three."""
    return [value, value] if isinstance(value, int) and not isinstance(value, bool) else value


class Repeat(Model):
    """How often every treatment is run; the unit of replication."""

    unit: Literal["trial", "search"] = Field(
        "trial", description="trial, or search: what one repetition is"
    )
    between: tuple[Times, Times] | None = Field(
        None, description="Fewest and most repetitions, in all; once where it is not given"
    )
    per_board: Annotated[
        tuple[Times, Times] | None,
        BeforeValidator(read_per_board, json_schema_input_type=int | list[int]),
    ] = Field(None, description="Blocks on each board, as 3 or [3, 6], in place of `between`")
    levels: Replication | None = Field(
        None, description="What is renewed between blocks: boot, build"
    )
    stop_when: StopWhen | None = Field(
        None, description="Repeating ends before the most, when intervals are narrow enough"
    )
    order: Order = Field(Order.model_construct(), description="In which order the trials run")
    cooldown: CooldownOf | None = Field(None, description="Pause between trials")
    attempts: Annotated[int, Field(ge=1, le=20), NUMBER] = Field(
        3, description="How often an invalid trial is run at most"
    )

    @model_validator(mode="after")
    def _range(self) -> "Repeat":
        if self.between is not None and self.per_board is not None:
            raise fault("per_board", "`between` counts in all, `per_board` on each board: give one")
        for name, given in (("between", self.between), ("per_board", self.per_board)):
            if given is not None and given[0] > given[1]:
                raise fault(name, f"{name} [{given[0]}, {given[1]}] is empty")
        return self

    @property
    def minimum(self) -> int:
        """Repetitions that are always run, in all or of `per_board` on each board."""
        return (self.per_board or self.between or (1, 1))[0]

    @property
    def maximum(self) -> int:
        """Repetitions that are never exceeded, counted alike."""
        return (self.per_board or self.between or (1, 1))[1]


def read_repeat(value: object) -> object:
    """Take `repeat: 6` and `times: 6` as exactly six."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"between": [value, value]}
    if isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic takes no TypeError for a wrong value
            f"has to be a number of repetitions, as `repeat: 6`, or a mapping, as "
            f"`repeat: {{between: [6, 12]}}`; not `{value}`"
        )
    return value


RepeatOf = Annotated[
    Repeat,
    BeforeValidator(read_repeat, json_schema_input_type=Annotated[int, Field(ge=1)] | Repeat),
]


class Goal(NamedTuple):
    """What a search looks for, in parts."""

    direction: Literal["highest", "lowest"]
    variable: str


_FIND = re.compile(r"(highest|lowest)\s+healthy\s+([a-z_][\w.]*)")
PAGE = 4096


def _find(text: str) -> str:
    match = _FIND.fullmatch(" ".join(text.split()))
    if match is None:
        raise fault("find", f"`{text}` is not a goal: write `highest healthy connections`")
    return " ".join(text.split())


class Confirm(Model):
    """Trials at one level: with k of n healthy it passes, and then P(healthy) ≥ ½ there."""

    trials: Annotated[int, Field(ge=1, le=1000), NUMBER] = Field(
        5, description="Trials at one level"
    )
    healthy: Annotated[int, Field(ge=1, le=1000), NUMBER] = Field(
        3, description="So many of them have to be healthy"
    )

    @model_validator(mode="after")
    def _possible(self) -> "Confirm":
        if self.healthy > self.trials:
            raise fault("confirm", f"{self.healthy} of {self.trials} trials cannot be healthy")
        return self


class Search(Model):
    """An adaptive sequence of trials for the highest (or lowest) healthy level."""

    find: Annotated[Text, AfterValidator(_find)] = Field(
        "highest healthy connections",
        description="highest or lowest healthy: connections, rate, a limit (memory.max, "
        "limits.nofile), a number (load.threads), or a word that stands in braces in workload or "
        "load",
    )
    between: tuple[Amount, Amount] = Field(
        description="Lowest and highest level that is tried, as [8, 512]"
    )
    confirm: Confirm = Field(
        Confirm.model_construct(), description="How often a level is tried, and what passes"
    )
    resolution: Amount = Field(
        parse("2%"),
        description="How near the answer has to be: a share of the level or a fixed step",
    )
    start: Amount | None = Field(
        None, description="First level that is tried; else the search chooses it"
    )
    workload: Literal["fresh", "keep"] = Field(
        "fresh",
        description="fresh: started anew for every trial; keep: one serves all trials of a "
        "search, as long as it lives and answers",
    )
    max_trials: Annotated[int, Field(ge=1, le=MAX_REPETITIONS), NUMBER] = Field(
        200, description="After so many trials a search ends with what it knows"
    )
    sentinels: bool | None = Field(
        None,
        description="false: end when the level is found, without looking for drift, history and "
        "dips (about half of the trials)",
    )

    @model_validator(mode="after")
    def _range(self) -> "Search":
        low, high = self.between
        if low.dimension != high.dimension:
            raise fault("between", f"{low} and {high} are not of one kind")
        if low.dimension not in (COUNT, BYTES, RATE):
            message = f"{low} is not a number, a size or a rate: write the number, its unit in the"
            raise fault("between", f"{message} spec: `--timeout {{t}}ms`")
        if not 0 < low.exact < high.exact or self.low >= self.high:
            raise fault("between", f"between [{low}, {high}] has to rise, from above 0")
        if self.resolution.exact <= 0:
            raise fault("resolution", "has to be above 0")
        return self

    @property
    def goal(self) -> Goal:
        """Direction and variable of `find`."""
        direction, _, variable = self.find.split()
        return Goal("highest" if direction == "highest" else "lowest", variable)

    @property
    def in_bytes(self) -> bool:
        """Whether levels are sizes."""
        return self.between[0].dimension == BYTES

    @property
    def grain(self) -> int:
        """Of what levels are multiples: sizes are whole pages, as the kernel keeps limits."""
        return PAGE if self.in_bytes else 1

    @property
    def low(self) -> int:
        """Lower bound in whole base units."""
        return -int(-self.between[0].exact // self.grain) * self.grain

    @property
    def high(self) -> int:
        """Upper bound in whole base units."""
        return int(self.between[1].exact // self.grain) * self.grain

    def step_at(self, level: int) -> int:
        """Give the resolution at a level, in whole base units: 2 % of it, or the fixed step."""
        if self.resolution.dimension == COUNT and self.resolution.exact >= 1:
            return int(self.resolution.exact)
        if self.resolution.dimension == self.between[0].dimension:
            return max(1, int(self.resolution.exact))
        return max(1, int(self.resolution.exact * level))


FactorOf = Annotated[
    Factor,
    BeforeValidator(
        read_factor,
        json_schema_input_type=LevelRange
        | LevelFiles
        | list[str | int | float]
        | dict[str, Changes | None],
    ),
]
