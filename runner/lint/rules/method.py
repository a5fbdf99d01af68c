"""Rules about design and claims: repetitions, order, baselines, scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.alike import amount, effect
from runner.lint.model import BENCHSTAT, SIGPLAN, Rule
from runner.lint.subject import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject
    from runner.spec.claims import Claim

    Hits = Iterator[tuple[str, str]]

_ENOUGH = 5
_TO_CONTRADICT = 6
"""Of a statement, or a range with one end; two ends take one more."""
_ALPHA = 0.025
_WIDE = 0.2


def _all_exact(subject: Subject) -> bool:
    kinds = [metric.kind for metric in subject.metrics.values()]
    return bool(kinds) and all(kind == "exact" for kind in kinds)


def _idle(subject: Subject) -> Hits:
    """Find levels that run the same, beside the first and beside the last levels of the others."""
    cells = subject.treatments
    elsewhere = repr(subject.experiment.faults)
    for name, factor in subject.experiment.factors.items():
        if f"{{{name}}}" in elsewhere:
            continue
        ran: dict[str, list[str]] = {}
        for level in factor.levels:
            beside = [{**cell, name: level} for cell in (cells[0], cells[-1])]
            said = repr([effect(subject.experiment, one) for one in beside])
            ran.setdefault(said, []).append(level)
        for same in ran.values():
            if len(same) > 1:
                yield f"factors.{name}", f"the levels {' and '.join(same[:3])} run the same"
        yield from _amounts(name, [same[0] for same in ran.values()])


def _amounts(factor: str, levels: list[str]) -> Hits:
    """Find levels that are one amount in two units: a program may see two texts, and one size."""
    said: dict[object, list[str]] = {}
    for level in levels:
        found = amount(level)
        if found is not None:
            said.setdefault((found.dimension, found.exact), []).append(level)
    for same in said.values():
        if len(same) > 1:
            what = f"the levels {' and '.join(same[:3])} are one amount, written in several ways"
            yield f"factors.{factor}", what


def _kept(subject: Subject) -> Hits:
    search = subject.experiment.search
    if search is not None and search.workload == "keep":
        yield "search.workload", "all trials of a search are on one workload"


def _once(subject: Subject) -> Hits:
    if subject.most < 2 and subject.metrics and not _all_exact(subject):
        yield "repeat", "every treatment runs once: there is no spread, and no interval"


def _few(subject: Subject) -> Hits:
    if subject.most >= 2 and subject.fewest < _ENOUGH and subject.sampled:
        what = f"{subject.fewest} repetitions may be all: {_ENOUGH} are needed to reproduce"
        yield "repeat.between", what


def _holm(subject: Subject) -> Hits:
    sampled, most = subject.sampled, subject.most
    claims = len(sampled)
    needed = _TO_CONTRADICT
    while 0.5**needed > _ALPHA / max(1, claims):
        needed += 1
    if not any(claim.states or _open(claim) for claim in sampled):
        needed += 1
    if claims > 1 and _ENOUGH <= most < needed:
        yield (
            "repeat.between",
            (
                f"{claims} claims share one error rate (Holm): the first needs {needed} "
                f"repetitions to be contradicted, and {most} is the most"
            ),
        )


def _open(claim: Claim) -> bool:
    """Whether a published range has one end only."""
    return any(None in number.bounds() for _, number in numbers(claim))


def _optional(subject: Subject) -> Hits:
    low, high = subject.fewest, subject.most
    if high > low and subject.experiment.repeat.stop_when is None:
        yield "repeat.between", f"[{low}, {high}] leaves open when to stop"


def _written(subject: Subject) -> Hits:
    order = subject.experiment.repeat.order
    if subject.cells > 1 and order.by == "written" and subject.most > 1:
        yield "repeat.order.by", "treatments always run in the order written: drift is one of them"


def _seed(subject: Subject) -> Hits:
    order = subject.experiment.repeat.order
    if subject.cells > 1 and order.by in ("blocks", "random") and order.seed is None:
        yield "repeat.order.seed", "is not given: the order cannot be repeated from the spec"


def _baseline(subject: Subject) -> Hits:
    if subject.experiment.factors and not subject.experiment.baseline:
        compared = any(
            claim.states or claim.where or (claim.published and claim.published.by)
            for claim in subject.claims
        )
        if not compared:
            yield "baseline", "factors are varied, and nothing says against what"


def _confounded(subject: Subject) -> Hits:
    for name, factor in subject.experiment.factors.items():
        for level, over in factor.levels.items():
            changed = sorted(section for section in over if section in ("build", "load", "system"))
            if len(changed) > 1:
                where = f"factors.{name}.{level}"
                yield where, f"changes {' and '.join(changed)} at once: which of them did it?"


def _means(subject: Subject) -> Hits:
    others = ("load.latency_p", "load.latency_max", "load.raw_latency_p", "load.raw_latency_max")
    for name, metric in subject.metrics.items():
        mean = metric.source in ("load.latency_mean", "load.raw_latency_mean")
        if mean and not subject.uses(*others):
            yield (
                f"metrics.{name}",
                "a mean latency alone: latencies are skewed, the tail is what hurts",
            )


def _governor(subject: Subject) -> Hits:
    timed = subject.mentions(
        "load.rps", "load.latency", "load.raw_latency", "gobench.ns", "workload.wall"
    )
    system = subject.base.system
    if timed and system.cpu_governor is None and system.cpu_frequency is None:
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
        "Name it, as in `baseline: {flags: default}`.",
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
        "levels-alike", "warning",
        "Two levels of a factor run the same.",
        "What is compared is noise: no `{factor}` and no key of a level makes a difference, or "
        "they are one amount in two spellings, as 16MiB and 16384KiB.",
        'Name the factor where it matters (`argv: [./prog, "{size}"]`), or give the levels keys; '
        "`runner apply --aa` measures what this host finds where there is nothing.",
        f"{SIGPLAN}, “Explicit claims”",
        _idle,
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
