"""What a host itself watches while a trial runs, so as to end it early. Pure.

Everything else that a rule may name is known only once a step is over: such a rule judges
(`healthy`, `guards`) and cannot abort.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import floor
from typing import Annotated, Final

from pydantic import AfterValidator

from runner.records.quantities import Quantity
from runner.spec.base import fault
from runner.spec.health import Rule, RuleText

DEAD: Final = "workload.dead"
OOM: Final = "cgroup.oom_kills"
WATCHED: Final = (
    "a host watches `workload.dead for 2s`, `cgroup.oom_kills > 0` and `stdout matches '…'` while "
    "a trial runs: what is known after a step stands under healthy or guards"
)
PATIENCE_S: Final = 1.0
"""How long a server may be dead where no rule says so."""


@dataclass(frozen=True)
class Watched:
    """What ends a trial, whichever comes first."""

    dead_s: float = PATIENCE_S
    oom_kills: int | None = None
    """So many in the workload's cgroup, or more."""
    printed: dict[str, list[str]] = field(default_factory=dict)
    """Regular expressions by `stdout` or `stderr`."""


def problem(rule: Rule) -> str | None:
    """Say why no host can watch a rule, or None."""
    if rule.subject == DEAD and rule.op == "is":
        return None if rule.value else f"`{rule}` holds from the beginning: say {DEAD} for 2s"
    if rule.op == "matches":
        return None
    if rule.op == "lacks":
        return f"`{rule}` holds until it is printed: say it under healthy, which looks at the end"
    return _counted(rule) if rule.subject == OOM else f"`{rule}` would never abort: {WATCHED}"


def _counted(rule: Rule) -> str | None:
    """Say why no host can count OOM kills as a rule wants, or None."""
    if rule.gained:
        return f"{OOM} is counted from the trial's begin by itself: leave out .gained"
    if rule.op not in (">", ">=") or not isinstance(rule.value, Quantity):
        return f"`{rule}` would never abort: a number of kills is reached, as in {OOM} > 0"
    return None if _kills(rule) > 0 else f"`{rule}` holds from the beginning: say {OOM} > 0"


def _kills(rule: Rule) -> int:
    """Give the number of OOM kills from which on a rule holds."""
    assert isinstance(rule.value, Quantity)  # noqa: S101 - `problem` refuses the others
    whole = floor(rule.value.exact)
    exactly = rule.op == ">=" and whole == rule.value.exact
    return whole if exactly else whole + 1


def watched(rules: Iterable[Rule]) -> Watched:
    """Join rules: any of them ends the trial."""
    dead: list[float] = []
    kills: list[int] = []
    printed: dict[str, list[str]] = {}
    for rule in rules:
        if rule.subject == DEAD:
            dead.append(rule.for_s)
        elif rule.op == "matches":
            printed.setdefault(rule.subject.partition(".")[0], []).append(str(rule.value))
        else:
            kills.append(_kills(rule))
    return Watched(min(dead, default=PATIENCE_S), min(kills, default=None), printed)


def _watchable(rule: Rule) -> Rule:
    why = problem(rule)
    if why is not None:
        raise fault("rule", why)
    return rule


AbortRule = Annotated[RuleText, AfterValidator(_watchable)]
