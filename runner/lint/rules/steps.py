"""Rules about the steps of a load: their ladder, their length, what disturbs them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from runner.kinds.sources import fields, reads
from runner.lint.model import SIGPLAN, Rule
from runner.lint.subject import known, numbers, place, source_of
from runner.records.quantities import COUNT
from runner.spec.sections.steps import Ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject
    from runner.spec.load import Load

    Hits = Iterator[tuple[str, str]]

_SHORTEST_S = 5.0
_GC_S = 30.0
_READINGS = 2
"""Of a sampled source in a step, under which it is of one moment or of none."""
_CYCLES = 10
"""GC cycles in a step under which a rate or a mean says little."""


def _ladder(subject: Subject) -> Hits:
    levels = [level for _, level in subject.levels()]
    load = subject.base.load
    ruled = load is not None and isinstance(load.steps, Ladder)
    if ruled or len(levels) < 3 or levels != sorted(set(levels)):
        return
    ratios = [b / a for a, b in pairwise(levels)]
    gaps = [b - a for a, b in pairwise(levels)]
    if max(ratios) > 1.1 * min(ratios) and max(gaps) > 1.1 * min(gaps):
        text = " → ".join(map(str, levels))
        yield "load.steps", f"{text} is neither geometric nor linear"


def _short(subject: Subject) -> Hits:
    load = _asked(subject)
    # redis_benchmark ends after a number of requests
    if load is None or load.generator == "redis_benchmark":
        return
    collected = subject.uses("gctrace.", "scavtrace.")
    steps = load.expanded_steps()
    if isinstance(load.steps, Ladder):
        steps = steps[:1]  # all last as long
    for step in steps:
        lasts, warmup = step.duration_s, load.warmup.seconds
        where = f"load.steps[{step.index}]" if load.steps else "load.measure"
        if collected and lasts < _GC_S:
            yield where, f"{lasts:g} s hold too few GC cycles for `{collected}`"
        elif lasts < max(_SHORTEST_S, 2 * warmup):
            told = f", with a warm-up of {warmup:g} s" if warmup else ""
            yield where, f"{lasts:g} s are short{told}"
        for claim, rate in _rates(subject):
            if 0 < rate * lasts < _CYCLES:
                yield where, f"{lasts:g} s hold {rate * lasts:g} GC cycles at the rate of {claim}"


def _asked(subject: Subject) -> Load | None:
    """Give the load where a generator of requests makes it."""
    load = subject.base.load
    return None if load is None or load.generator in ("none", "command") else load


def _rates(subject: Subject) -> Iterator[tuple[str, float]]:
    """Give every published rate of GC cycles, in 1/s."""
    for claim in subject.claims:
        metric = subject.metrics.get(claim.metric or "")
        said = (metric.as_ if metric else None) or ""
        if metric is None or not said.startswith("rate/"):
            continue
        unit = known(f"1{said.removeprefix('rate')}")
        if not source_of(metric).startswith("gctrace.count") or unit is None:
            continue
        for level, number in numbers(claim):
            if number.value is not None:
                bare = number.value.dimension == COUNT
                yield place(claim, level=level), float(number.value.exact) * (unit if bare else 1)


def _sparse(subject: Subject) -> Hits:
    hz, known_fields = subject.experiment.sample.hz, fields(subject.facts)
    rates = {read["id"]: float(read["hz"]) for read in reads(subject.facts, hz=hz)}
    lasts = [
        step.duration_s
        for variant in subject.variants
        if variant.load is not None
        for step in variant.load.expanded_steps()
        if step.duration_s
    ]
    for name, metric in subject.metrics.items() if lasts else ():
        field = known_fields.get(source_of(metric))
        # a counter is read at both ends of a step
        if field is None or field.kind != "gauge" or source_of(metric).endswith("peak"):
            continue
        read = max((one for one in rates if f"{field.column}.".startswith(f"{one}.")), default="")
        if read and min(lasts) * rates[read] < _READINGS:
            yield (
                f"metrics.{name}",
                (
                    f"`{metric.source}` is read every {1 / rates[read]:g} s, and a step lasts "
                    f"{min(lasts):g} s"
                ),
            )


def _warmup(subject: Subject) -> Hits:
    load = _asked(subject)
    if load is not None and not any(step.warmup_s for step in load.expanded_steps()):
        yield "load.warmup", "measures from the first request on: caches, pools and GC are cold"


def _guards(subject: Subject) -> Hits:
    load = subject.base.load
    if load is not None and load.generator != "none" and not subject.experiment.guards:
        yield "guards", "a throttled board or a saturated generator would count as a result"


def _threads(subject: Subject) -> Hits:
    load, cores = subject.base.load, known(subject.facts.get("cpu.count"))
    if load is None or cores is None:
        return
    if load.threads > cores and not subject.experiment.hosts.load:
        yield "load.threads", f"{load.threads} threads on {cores:g} cores, beside the workload"


RULES = (
    Rule(
        "ladder-not-geometric", "note",
        "The steps of the load follow no rule.",
        "100 → 1000 → 5000 → 10000 leaves gaps of ×10, ×5 and ×2: where the knee is can be said "
        "to a different precision in each.",
        "Write `steps: {from: 100, to: 10000, times: 10}` or `by: …`.",
        f"{SIGPLAN}, “Explores key design parameters”",
        _ladder,
    ),
    Rule(
        "step-too-short", "warning",
        "A step is too short for what is read from it.",
        "It has to outlast the warm-up, and to hold enough requests and GC cycles.",
        "Make it at least twice the warm-up, 5 s, and 30 s where GC is measured.",
        "Kalibera and Jones 2013, ISMM; Georges, Buytaert, Eeckhout 2007, OOPSLA",
        _short,
    ),
    Rule(
        "sampling-too-sparse", "warning",
        "A step is over before its second reading.",
        "What is sampled is then the value of one moment, or null; a highest value is missed.",
        "Make the step longer, or raise `sample: {hz: …}` where the source follows it.",
        "Method of this project: a number says what it was seen in",
        _sparse,
    ),
    Rule(
        "threads-exceed-cores", "warning",
        "The load generator has more threads than the host has cores.",
        "They wait for each other and for the workload: their waiting is counted as its latency.",
        "Set `load: {threads: …}` to the cores that are left, or load from another host.",
        f"{SIGPLAN}, “Reasonable platform”; benchstat documentation, “Tips” (noise)",
        _threads,
    ),
    Rule(
        "no-warmup", "note",
        "There is no warm-up.",
        "The first requests fill caches, grow heaps and open connections; they differ from those "
        "after them.",
        "Give the load a `warmup:`.",
        "Georges, Buytaert, Eeckhout 2007, OOPSLA; Barrett et al. 2017, OOPSLA",
        _warmup,
    ),
    Rule(
        "guards-missing", "warning",
        "No guard makes a disturbed trial invalid.",
        "A board that throttles, a generator at its limit or an OOM kill elsewhere changes numbers "
        "and leaves no trace in them.",
        "Write `guards:`, for instance `board.throttled.gained == none` and `load.cpu <= 85%`.",
        f"{SIGPLAN}, “Reasonable platform”; benchstat documentation, “Tips” (noise)",
        _guards,
    ),
)  # fmt: skip
