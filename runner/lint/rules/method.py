"""Rules about design and claims: repetitions, order, baselines, scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.model import BENCHSTAT, SIGPLAN, Rule
from runner.lint.view import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.lint.view import View

    Hits = Iterator[tuple[str, str]]

_ENOUGH = 5
_TO_CONTRADICT = 6
"""Of a statement, or a range with one end; two ends take one more."""
_ALPHA = 0.025
_WIDE = 0.2


def _between(view: View) -> tuple[int, int]:
    found = view.at("repeat", "between") or view.at("repeat") or (1, 1)
    if isinstance(found, int):
        return found, found
    return (int(found[0]), int(found[1])) if isinstance(found, (list, tuple)) else (1, 1)


def _all_exact(view: View) -> bool:
    kinds = [metric.get("kind") for metric in view.metrics.values()]
    return bool(kinds) and all(kind == "exact" for kind in kinds)


def _cells(view: View) -> int:
    found = 1
    for levels in (view.at("factors") or {}).values():
        found *= max(1, len(levels))
    return found


def _kept(view: View) -> Hits:
    if view.at("search", "workload") == "keep":
        yield "search.workload", "all trials of a search are on one workload"


def _once(view: View) -> Hits:
    if _between(view)[1] < 2 and view.metrics and not _all_exact(view):
        yield "repeat", "every treatment runs once: there is no spread, and no interval"


def _few(view: View) -> Hits:
    low, high = _between(view)
    if high >= 2 and low < _ENOUGH and view.sampled:
        yield "repeat.between", f"{low} repetitions may be all: {_ENOUGH} are needed to reproduce"


def _holm(view: View) -> Hits:
    sampled = view.sampled
    claims = len(sampled)
    most = _between(view)[1]
    needed = _TO_CONTRADICT
    while 0.5**needed > _ALPHA / max(1, claims):
        needed += 1
    if not any(claim.get("expect") or _open(view, claim) for claim in sampled):
        needed += 1
    if claims > 1 and _ENOUGH <= most < needed:
        yield (
            "repeat.between",
            (
                f"{claims} claims share one error rate (Holm): the first needs {needed} "
                f"repetitions to be contradicted, and {most} is the most"
            ),
        )


def _open(view: View, claim: Mapping[str, object]) -> bool:
    """Whether a published range has one end only."""
    return any(
        number.get("value") is None and (number.get("low") is None or number.get("high") is None)
        for _, number in view.published(claim)
    )


def _optional(view: View) -> Hits:
    low, high = _between(view)
    if high > low and not view.at("repeat", "stop_when"):
        yield "repeat.between", f"[{low}, {high}] leaves open when to stop"


def _written(view: View) -> Hits:
    if _cells(view) > 1 and view.at("repeat", "order", "by") == "written" and _between(view)[1] > 1:
        yield "repeat.order.by", "treatments always run in the order written: drift is one of them"


def _seed(view: View) -> Hits:
    order = view.at("repeat", "order") or {}
    shuffled = order.get("by", "blocks") in ("blocks", "random")
    if _cells(view) > 1 and shuffled and order.get("seed") is None:
        yield "repeat.order.seed", "is not given: the order cannot be repeated from the spec"


def _baseline(view: View) -> Hits:
    if view.at("factors") and not view.at("baseline"):
        compared = any(claim.get("expect") for claim in view.claims)
        apart = any(at(claim, "published", "by") for claim in view.claims)
        if not compared and not apart and not any(claim.get("where") for claim in view.claims):
            yield "baseline", "factors are varied, and nothing says against what"


def _confounded(view: View) -> Hits:
    for factor, levels in (view.at("factors") or {}).items():
        for level, over in levels.items() if hasattr(levels, "items") else ():
            changed = sorted(name for name in over or {} if name in ("build", "load", "system"))
            if len(changed) > 1:
                where = f"factors.{factor}.{level}"
                yield where, f"changes {' and '.join(changed)} at once: which of them did it?"


def _means(view: View) -> Hits:
    others = ("load.latency_p", "load.latency_max", "load.raw_latency_p", "load.raw_latency_max")
    for name, metric in view.metrics.items():
        source = str(metric.get("from") or "")
        if source in ("load.latency_mean", "load.raw_latency_mean") and not view.uses(*others):
            yield (
                f"metrics.{name}",
                "a mean latency alone: latencies are skewed, the tail is what hurts",
            )


def _governor(view: View) -> Hits:
    timed = view.mentions(
        "load.rps", "load.latency", "load.raw_latency", "gobench.ns", "workload.wall"
    )
    system = view.base.at("system") or {}
    if timed and not system.get("cpu_governor") and not system.get("cpu_frequency"):
        yield "system.cpu_governor", f"is not set, and {timed[0][0]} depends on the clock"


RULES = (
    Rule(
        "no-repetitions", "error",
        "Every treatment runs once.",
        "One number has no spread: whether it is far from another cannot be said.",
        "Repeat on a fresh workload: `repeat: {between: [7, 12]}`.",
        f"{SIGPLAN}, “Sufficient number of trials”",
        _once,
    ),
    Rule(
        "too-few-repetitions", "warning",
        "There are fewer repetitions than an interval needs.",
        "A 90 % interval of a median exists from 5 values on; a published bound is contradicted "
        "from 6 on, a range from 7.",
        "Start `repeat.between` at 7.",
        f"{SIGPLAN}, “Sufficient number of trials”; Conover (1999), §3.2",
        _few,
    ),
    Rule(
        "many-claims", "note",
        "So many claims are tested that none of them can be contradicted.",
        "Of 20 claims tested at 5 % one is contradicted by chance; Holm's correction prevents it, "
        "and asks for more repetitions.",
        "Raise `repeat.between`, or split the experiment by question.",
        f"Holm 1979; {BENCHSTAT}, “Tips” (multiple testing)",
        _holm,
    ),
    Rule(
        "optional-stopping", "warning",
        "When to stop repeating is left open.",
        "“Pick a number of benchmark runs (at least 10, ideally 20) and stick to it”: to go on "
        "until the result pleases finds an effect where there is none.",
        "Add `stop_when: {interval: 90%, half_width: 2%}`, which looks at the width alone.",
        f"{BENCHSTAT}, “Tips”; Armitage, McPherson, Rowe 1969",
        _optional,
    ),
    Rule(
        "not-interleaved", "warning",
        "Treatments run in one fixed order.",
        "What drifts (heat, other tenants) then falls on the same treatment each time.",
        "Use `order: {by: blocks, seed: …}`.",
        f"{BENCHSTAT}, “Tips” (interleave); Fisher 1935, §26",
        _written,
    ),
    Rule(
        "unseeded-order", "note",
        "The order is random, and its seed is not given.",
        "It is recorded with the run; with a seed the spec alone repeats it.",
        "Add `seed:` to `repeat.order`.",
        f"{SIGPLAN}, “Sufficient information to repeat”",
        _seed,
    ),
    Rule(
        "no-baseline", "warning",
        "Factors are varied without a baseline.",
        "An improvement is one over something.",
        "Name it: `baseline: {flags: default}`.",
        f"{SIGPLAN}, “Appropriate baseline for comparison”",
        _baseline,
    ),
    Rule(
        "confounded-levels", "warning",
        "One level changes several things at once.",
        "The difference cannot be given to any of them.",
        "Make a factor of each.",
        f"{SIGPLAN}, “Fair comparison”; Box, Hunter, Hunter 2005, §5",
        _confounded,
    ),
    Rule(
        "kept-between-levels", "warning",
        "The trials of a search share one workload.",
        "What one level leaves behind (a grown heap, tables, descriptors) decides the next: the "
        "trials of a level are not independent ones, and their order is part of the result.",
        "Leave `search.workload` out, or say that the capacity is that of a server with a history.",
        "Kalibera and Jones 2013, “Rigorous benchmarking in reasonable time”, ISMM, §4",
        _kept,
    ),
    Rule(
        "mean-latency-alone", "note",
        "Latency is summarised by its mean alone.",
        "Its distribution is skewed: few requests see the mean.",
        "Report p50 and p99 beside it.",
        f"{SIGPLAN}, “Appropriate summary statistics”",
        _means,
    ),
    Rule(
        "governor-undeclared", "note",
        "Times are measured and the CPU's frequency is left to the governor.",
        "`ondemand` and `powersave` run a board at a third of its clock, and change it under load.",
        "Set `system: {cpu_governor: performance}`.",
        f"{BENCHSTAT}, “Tips” (noise); {SIGPLAN}, “Reasonable platform”",
        _governor,
    ),
)  # fmt: skip
