"""Rules about what a design can decide: repetitions, bounds, windows, what varied."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from runner.lint.model import BENCHSTAT, SIGPLAN, Rule
from runner.lint.view import amount, at
from runner.records.quantities import QuantityError
from runner.spec.claims import share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.lint.view import View

    Hits = Iterator[tuple[str, str]]

TWO_ENDED: Final = 7
"""Values from which on a range with two ends can be contradicted: 2 / 2^7 <= 2.5 %."""
PAIRS: Final = 6
"""Blocks from which on two treatments can be found to differ: 2 / 2^6 <= 5 %."""
_TIMED: Final = ("load.", "gobench.ns", "workload.wall", "workload.user_cpu", "stdout.json.ns")
_UNIVERSAL: Final = re.compile(
    r"\b(never|always|zero|no|none|nothing|without any)\b"
    "|从不|从未|绝不|永不|总是|始终|零|不会|不丢|无丢失",
    re.IGNORECASE,
)
_PER: Final = {"/min": 60.0, "/h": 3600.0}


def most(view: View) -> int:
    """Give how often every treatment is run at most."""
    found = view.at("repeat", "between") or view.at("repeat", "times") or view.at("repeat") or 1
    if isinstance(found, int):
        return found
    if isinstance(found, (list, tuple)) and found:
        return int(found[-1])
    return 1


def _kind(claim: Mapping[str, object]) -> str:
    found = claim.get("estimand")
    return found if isinstance(found, str) else "quantile" if found else "median"


def _determined(view: View, claim: Mapping[str, object]) -> bool:
    metric = view.metrics.get(str(claim.get("metric"))) or {}
    return metric.get("kind") == "exact" and str(metric.get("from") or "build.").startswith(
        "build."
    )


def _two_ended(view: View) -> Hits:
    if not 1 < most(view) < TWO_ENDED:
        return  # once is another rule's
    for claim in view.claims:
        if _kind(claim) != "median" or _determined(view, claim):
            continue
        for level, number in view.published(claim):
            ends = number.get("value") is not None or (
                number.get("low") is not None and number.get("high") is not None
            )
            if ends:
                where = f"claims.{claim.get('id')}" + (f" ({level})" if level else "")
                yield (
                    where,
                    (
                        f"a range with two ends takes {TWO_ENDED} repetitions to be contradicted: "
                        f"{most(view)}, the most here, can only reproduce it"
                    ),
                )
                break


def _compared(view: View) -> Hits:
    cells = 1
    for levels in (view.at("factors") or {}).values():
        cells *= max(1, len(levels))
    if cells < 2 or most(view) >= PAIRS or not view.at("baseline"):
        return
    if any(metric.get("kind") != "exact" for metric in view.metrics.values()):
        yield (
            "repeat.between",
            (
                f"{most(view)} blocks cannot find a difference of treatments: the smallest p of "
                f"so many pairs is {2 / 2 ** most(view):.2g}, and {PAIRS} are needed"
            ),
        )


def _half(view: View) -> Hits:
    for claim in view.claims:
        wide = amount(at(claim, "margin", "absolute"))
        if wide is None:
            continue
        for level, number in view.published(claim):
            sizes = [amount(number.get(name)) for name in ("value", "low", "high")]
            known = [abs(size) for size in sizes if size]
            if known and wide > min(known) / 2:
                where = f"claims.{claim.get('id')}.margin" + (f" ({level})" if level else "")
                share = wide / min(known)
                yield where, f"± {share:.0%} of the number: almost nothing would contradict it"


def _window(view: View) -> Hits:
    load = view.base.at("load") or {}
    spans = [amount(load.get("measure"))]
    steps = load.get("steps")
    if isinstance(steps, (list, tuple)):
        spans = [amount(step.get("duration")) for step in steps]
    elif steps:
        spans = [amount(at(steps, "duration"))]
    known = [span for span in spans if span]
    for name, metric in view.metrics.items():
        per = next((s for end, s in _PER.items() if str(metric.get("as") or "").endswith(end)), 0.0)
        if per and known and min(known) < per:
            yield (
                f"metrics.{name}",
                (
                    f"is a rate per {per:g} s, measured for {min(known):g} s: what happens once in "
                    "the published interval is mostly not seen"
                ),
            )


def _layout(view: View) -> Hits:
    builds = [
        name
        for name, levels in (view.at("factors") or {}).items()
        if hasattr(levels, "values") and any("build" in (over or {}) for over in levels.values())
    ]
    if not builds or at(view.at("repeat"), "levels", "build") == "block":
        return
    for claim in view.claims:
        names = str(claim.get("expect") or claim.get("metric") or "")
        timed = [
            name
            for name, metric in view.metrics.items()
            if re.search(rf"\b{re.escape(name)}\b", names)
            and str(metric.get("from") or "").startswith(_TIMED)
        ]
        if timed:
            yield (
                f"claims.{claim.get('id')}",
                (
                    f"compares the speed of builds, each built once: {timed[0]} may differ by "
                    "the layout of the code alone"
                ),
            )


def _universal(view: View) -> Hits:
    for claim in view.claims:
        if claim.get("estimand") is not None or _determined(view, claim):
            continue
        said = _UNIVERSAL.search(str(claim.get("quote") or ""))
        zero = [
            number
            for _, number in view.published(claim)
            if amount(number.get("high")) == 0 or amount(number.get("value")) == 0
        ]
        if said or zero:
            what = f"says “{said[0]}”" if said else "publishes 0"
            yield (
                f"claims.{claim.get('id')}",
                f"{what} and is judged as a median: half of the repetitions may break it",
            )


def _bound(view: View) -> Hits:
    for claim in view.claims:
        text = claim.get("bound")
        if text is None or _kind(claim) not in ("never", "always"):
            continue
        try:
            wanted = math.ceil(math.log(0.05) / math.log1p(-share_of(str(text))) - 1e-9)
        except (QuantityError, ValueError, ZeroDivisionError):
            continue
        if most(view) < wanted:
            yield (
                f"claims.{claim.get('id')}.bound",
                f"{text} takes {wanted} repetitions without one, and {most(view)} is the most",
            )


def _claimed(view: View, name: str) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(
        claim.get("metric") == name or word.search(str(claim.get("expect") or ""))
        for claim in view.claims
    )


def _printed(view: View) -> Hits:
    for name, metric in view.metrics.items():
        source = str(metric.get("from") or "")
        printed = metric.get("kind") == "exact" and source and not source.startswith("build.")
        if printed and _claimed(view, name):
            yield f"metrics.{name}", f"`{source}` is what a program says: the next run may differ"


RULES = (
    Rule(
        "range-needs-seven", "error",
        "A range with two ends is to be judged by fewer than 7 repetitions.",
        "It can be missed on either side, so a sign test has to count both: six values beyond it "
        "are p = 3.1 %, seven 1.6 %. A design that can only reproduce is not a test.",
        "Set `repeat.between: [7, …]`, or publish one end.",
        "Conover (1999), §3.4",
        _two_ended,
    ),
    Rule(
        "comparison-needs-six", "warning",
        "Treatments are compared in fewer than 6 blocks.",
        "Of 5 pairs the smallest p is 6.3 %, however large the difference is.",
        "Set `repeat.between: [6, …]`, more where the difference is not far above the noise.",
        f"{BENCHSTAT}, “Tips”; Westfall and Young (1993), §2",
        _compared,
    ),
    Rule(
        "bound-needs-more", "warning",
        "`never` or `always` has a bound that so few repetitions cannot show.",
        "0 of n leaves a share of about 3/n open (one-sided 95 %).",
        "Raise `repeat.between`, or the bound.",
        "Clopper and Pearson 1934, Biometrika 26, 404-413",
        _bound,
    ),
    Rule(
        "universal-as-median", "warning",
        "A claim of never, no, always or zero is judged as a median.",
        "One counterexample falsifies it, and a median lets half of the repetitions break it.",
        "Say `estimand: never, bound: 1 in 20` (or `always`), or what else it is of.",
        f"{SIGPLAN}, “Appropriately-scoped claims”",
        _universal,
    ),
    Rule(
        "exact-output", "warning",
        "A program's output is declared exact.",
        "Only what a tool determines is the same each time; what fails in a fifth of the runs "
        "looks exact in two of them more often than not. It is judged as sampled.",
        "Leave `kind: exact` to `build.*`, and repeat.",
        f"{SIGPLAN}, “Sufficient number of trials”",
        _printed,
    ),
    Rule(
        "margin-half-the-value", "warning",
        "The absolute margin is above half of the published number.",
        "From half to one and a half times a number is not the same number.",
        "Narrow it to what would make no difference to a user.",
        "Lakens 2017, Social Psychological and Personality Science 8, 355-362",
        _half,
    ),
    Rule(
        "window-too-short", "warning",
        "A rate is measured for less than the interval that it is per.",
        "What happens every two minutes is 0 in most windows of 10 s.",
        "Measure for at least the interval.",
        f"{SIGPLAN}, “Sufficient number of trials”",
        _window,
    ),
    Rule(
        "single-layout", "note",
        "The speed of builds is compared, and each of them is built once.",
        "The order of functions and the size of the environment move a program's speed by some "
        "per cent; no repetition of the same file averages that out.",
        "Build each block anew, or say that the difference is of these two files.",
        "Mytkowicz et al. 2009, ASPLOS, “Producing wrong data”; Curtsinger and Berger 2013, ASPLOS",
        _layout,
    ),
)  # fmt: skip
