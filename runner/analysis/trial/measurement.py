"""Rules of the measurement itself, whether or not a spec has guards: else a step is invalid.

A generator that measures by the wall clock says nothing of a step in which that was set; one
whose warm-up overran has not measured when it was to. An answer that is not good is
worth nothing: a step without a good one is never healthy. A ramp, a spike or a file of times
that the generator did not keep to is not the load that was declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.analysis.model import RuleResult
from runner.kinds.generators import generator

if TYPE_CHECKING:
    from runner.records.steps import StepPlan
    from runner.records.trial_events import StepEnded

    Number = float | int | str | None

WARMUP_SPARE_S: Final = 1.0
BEHIND: Final = 0.05
"""Share of the requests of a ramp, a spike or a file that may be sent in a later interval."""
NOT_KEPT: Final = "so many requests were not sent when they were planned"
CLOCK: Final = "the clock was set during the step, and {} measures by it"


def broken(
    plan: StepPlan,
    ended: StepEnded,
    took_s: tuple[float, float],
    numbers: dict[str, Number],
    why: dict[str, str],
) -> tuple[RuleResult, ...]:
    """Give the rules that do not hold; what was measured by a clock that was set is taken out.

    `took_s` are the durations of the warm-up and of the measurement.
    """
    if plan.generator is None or plan.load is None:
        return ()
    found: list[RuleResult] = []
    asked = plan.warmup_s
    if asked is not None and ended.warmup_wall_s is not None:
        most = asked + plan.load.timeout_s + WARMUP_SPARE_S
        if ended.warmup_wall_s > most:
            said = f"it was to take {asked:g} s"
            found.append(
                RuleResult(f"load.warmup <= {most:g} s", False, f"{took_s[0]:.1f} s", said)
            )
        elif ended.warmup_exit != 0:
            how = "ended by a signal" if ended.warmup_exit is None else f"{ended.warmup_exit}"
            found.append(RuleResult("load.warmup_exit == 0", False, how, "the warm-up failed"))
    late = numbers.get("load.behind")
    if plan.load.shaped and isinstance(late, int | float) and late > BEHIND:
        found.append(RuleResult(f"load.behind <= {BEHIND:.0%}", False, f"{late:.1%}", NOT_KEPT))
    if numbers.get("host.clock_changed") and generator(plan.generator).wall_clock:
        step = numbers.get("host.clock_step")
        said = CLOCK.format(plan.generator)
        by = f"{step:+.1f} s" if isinstance(step, int | float) else "set"
        found.append(RuleResult("the clock is not set", False, by, said))
        for name in [name for name in numbers if name.startswith("load.")]:
            if name not in KNOWN_BY_HOST:
                numbers[name], why[name] = None, said
    return tuple(found)


KNOWN_BY_HOST: Final = frozenset(
    {"load.connections", "load.established", "load.cpu", "load.cpu_s", "load.errors.local",
     "load.opened", "load.unanswered", "load.requests"}
)  # fmt: skip
"""What no clock of the generator's is in."""


def no_good_answer(numbers: dict[str, Number], *, loaded: bool) -> RuleResult | None:
    """Say that nothing good was answered, where that is known; None where something was."""
    if not loaded:
        return None
    for name in ("load.good", "load.good_rps", "load.requests", "load.rps"):
        value = numbers.get(name)
        if isinstance(value, int | float):
            if value > 0:
                return None
            requests = numbers.get("load.requests")
            said = "no request was answered" if not requests else "no answer was good"
            return RuleResult(f"{name} > 0", False, "0", said)
    return None


def late(limit_s: float) -> RuleResult:
    """Say that a program was stopped at its limit of time, which is its result."""
    return RuleResult(f"ends within {limit_s:g} s", False, f"≥ {limit_s:g} s", "it was stopped")
