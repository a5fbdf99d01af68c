"""A claim and its measurements as plain data, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from runner.analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.claims.must import Fact, Varied
    from runner.analysis.stats.run_order import RunOrder
    from runner.records.outcome import Verdict
    from runner.records.plain import Json

    Region = tuple[float | None, float | None]

NOT_TESTABLE: Final = "not testable"
NOT_MEASURED: Final = "not measured"
NOT_COMPARABLE: Final = "not comparable"
REPRODUCED: Final = "reproduced"
CONTRADICTED: Final = "contradicted"
DIFFERS: Final = "differs (environment undeclared)"
INCONCLUSIVE: Final = "inconclusive"

LEVEL_INSIDE: Final = LEVEL
ALPHA_INSIDE: Final = 0.05
"""How often a claim that is not so may be `reproduced`: each side of the 90 % interval."""
ALPHA: Final = 0.025
"""How often any claim of an experiment may be `contradicted` falsely."""


@dataclass(frozen=True)
class Selection:
    """Attempts behind a claim's values, and how many of them guards threw away."""

    attempts: int = 0
    thrown: int = 0

    @property
    def share(self) -> float:
        """Share that was thrown away."""
        return self.thrown / self.attempts if self.attempts else 0.0


class Common(TypedDict):
    """What all cases of one claim share."""

    must: Sequence[str]
    declared: Mapping[str, Json]
    observed: Mapping[str, Json | Varied]
    testable: bool
    why: str
    estimand: str
    quantile: float
    bound: float
    order_effect: str


@dataclass(frozen=True)
class Case:
    """A claim and its measurements as plain data, all numbers in base units."""

    id: str
    published: Region | None = None
    """Bounds as published, rounding included; None for a statement."""
    region: Region | None = None
    """The published bounds widened by the margin; `published` where there is none."""
    values: Sequence[float | None] = ()
    """One per repetition (or paired block), in the order of measuring; of a comparison,
    left - right."""
    censored: Sequence[str] = ()
    """For each value: empty, `above`, `below` or `unknown`; see `Repetition.censored`."""
    truths: Sequence[bool | None] | None = None
    """For an `expect:` statement, whether it held in each block."""
    estimand: str = "median"
    """What of the distribution it speaks of: median, mean, quantile, rate, never, always."""
    quantile: float = 0.5
    bound: float = 0.0
    """The share of units up to which `never` and `always` are shown."""
    resolution: float = 0.0
    """Step in which the values are printed; the last digit may be rounded or cut."""
    kind: str = "sampled"
    """`exact`: the same in every repetition, judged by the rounding interval alone."""
    testable: bool = True
    why: str = ""
    """Why it is not testable, or why values are missing."""
    unmeasured: str = ""
    """Why nothing can be said though there may be values: guards kept breaking."""
    ended: str = ""
    """What the censored values are, for the reason: `searches ended at 256`."""
    must: Sequence[str] = ()
    declared: Mapping[str, Json] = field(default_factory=dict)
    observed: Mapping[str, Json | Varied] = field(default_factory=dict)
    unit: str = ""
    """In which reasons say amounts; empty says them in base units."""
    order_effect: str = ""
    """The cause of an order effect, where the spec gives one."""
    selection: Selection = Selection()
    notes: Sequence[str] = ()
    """What stands beside the reason of any verdict: how many runs there were."""

    @property
    def universal(self) -> bool:
        """Whether one counterexample is enough."""
        return self.estimand in ("never", "always")


@dataclass(frozen=True)
class Judgement:
    """A verdict and everything that it rests on."""

    id: str
    verdict: Verdict | Literal[""]
    reason: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    """At 90 %, of the estimand; of `never`, the share's, with its one-sided 95 % bound."""
    level: float | None = None
    """Confidence that it really has."""
    n: int = 0
    values: tuple[float, ...] = ()
    region: Region | None = None
    facts: tuple[Fact, ...] = ()
    p: float | None = None
    """Of the test of verdict 5, before Holm: one-sided, doubled for a range with two ends."""
    p_holm: float | None = None
    more: int | None = None
    """About how many more repetitions would decide; None where that is unknown."""
    lean: str = ""
    hangs: str = ""
    """Why no verdict is possible while some values are only bounds; empty where one is."""
    order: RunOrder | None = None
    unit: str = ""
    """Of estimate and interval, where that is not the case's."""


def sides(region: Region | None) -> int:
    """Count the sides on which an estimate may miss a region; a statement (None) has one."""
    return 2 if region is not None and None not in region else 1


def alpha_outside(region: Region | None, family: int) -> float:
    """Give 1 - level of the interval that contradicts the first of so many claims.

    A median that lies in a narrow region may have almost half of its distribution
    on either side; each side is tested, and both together may err in ALPHA.
    """
    return 2 * ALPHA / sides(region) / max(1, family)
