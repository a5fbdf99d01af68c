"""Rules about the steps of a load: their ladder, their length, what disturbs them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from runner.lint.model import SIGPLAN, Rule
from runner.lint.view import amount, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.view import View

    Hits = Iterator[tuple[str, str]]

_SHORTEST_S = 5.0
_GC_S = 30.0
_CYCLES = 10
"""GC cycles in a step under which a rate or a mean says little."""


def _ladder(view: View) -> Hits:
    levels = [level for _, level in view.levels()]
    steps = view.base.at("load", "steps")
    if isinstance(steps, dict) or len(levels) < 3 or levels != sorted(set(levels)):
        return
    ratios = [b / a for a, b in pairwise(levels)]
    gaps = [b - a for a, b in pairwise(levels)]
    if max(ratios) > 1.1 * min(ratios) and max(gaps) > 1.1 * min(gaps):
        text = " → ".join(map(str, levels))
        yield "load.steps", f"{text} is neither geometric nor linear"


def _short(view: View) -> Hits:
    load = view.base.at("load")
    # redis_benchmark ends after a number of requests
    if not load or load.get("generator") in ("none", "command", "redis_benchmark"):
        return
    warmup = amount(load.get("warmup")) or 0.0
    collected = view.uses("gctrace.", "scavtrace.")
    steps = steps_of(load) or [{}]
    if isinstance(load.get("steps"), dict):
        steps = [{"duration": load["steps"].get("duration")}]
    for index, step in enumerate(steps):
        lasts = amount(step.get("duration") or load.get("measure") or "30s") or 0.0
        where = f"load.steps[{index}]" if load.get("steps") else "load.measure"
        if collected and lasts < _GC_S:
            yield where, f"{lasts:g} s hold too few GC cycles for `{collected}`"
        elif lasts < max(_SHORTEST_S, 2 * warmup):
            told = f", with a warm-up of {warmup:g} s" if warmup else ""
            yield where, f"{lasts:g} s are short{told}"
        for claim, rate in _rates(view):
            if 0 < rate * lasts < _CYCLES:
                yield where, f"{lasts:g} s hold {rate * lasts:g} GC cycles at the rate of {claim}"


def _rates(view: View) -> Iterator[tuple[str, float]]:
    """Give every published rate of GC cycles, in 1/s."""
    for claim in view.claims:
        metric = view.metrics.get(str(claim.get("metric"))) or {}
        said = str(metric.get("as") or "")
        unit = amount(f"1{said.removeprefix('rate')}") if said.startswith("rate/") else None
        if not str(metric.get("from")).startswith("gctrace.count") or unit is None:
            continue
        for level, number in view.published(claim):
            value = amount(number.get("value"))
            if value is not None:
                where = f"claims.{claim.get('id')}" + (f" ({level})" if level else "")
                yield where, value * unit


def _warmup(view: View) -> Hits:
    load = view.base.at("load")
    if not load or load.get("generator") in ("none", "command"):
        return
    if not amount(load.get("warmup")) and not any(amount(s.get("warmup")) for s in steps_of(load)):
        yield "load.warmup", "measures from the first request on: caches, pools and GC are cold"


def _guards(view: View) -> Hits:
    load = view.base.at("load")
    if load and load.get("generator") != "none" and not view.at("guards"):
        yield "guards", "a throttled board or a saturated generator would count as a result"


def _threads(view: View) -> Hits:
    load = view.base.at("load") or {}
    cores = amount(view.facts.get("cpu.count"))
    asked = int(load.get("threads") or 0)
    if cores is not None and asked > cores and not view.at("hosts", "load"):
        yield "load.threads", f"{asked} threads on {cores:g} cores, beside the workload"


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
