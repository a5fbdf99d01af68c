"""Rules about what a design can decide: repetitions, bounds, windows, what varied."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from runner.lint.model import BENCHSTAT, SIGPLAN, Rule
from runner.lint.subject import base, numbers, place, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject
    from runner.spec.claims import Claim

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


def _determined(subject: Subject, claim: Claim) -> bool:
    metric = subject.metrics.get(claim.metric or "")
    if metric is None:
        return False
    return metric.kind == "exact" and (source_of(metric) or "build.").startswith("build.")


def _two_ended(subject: Subject) -> Hits:
    most = subject.most
    if not 1 < most < TWO_ENDED:
        return  # once is another rule's
    for claim in subject.claims:
        if claim.estimand_kind != "median" or _determined(subject, claim):
            continue
        for level, number in numbers(claim):
            if None not in number.bounds():
                yield (
                    place(claim, level=level),
                    (
                        f"a range with two ends takes {TWO_ENDED} repetitions to be contradicted: "
                        f"{most}, the most here, can only reproduce it"
                    ),
                )
                break


def _compared(subject: Subject) -> Hits:
    most = subject.most
    if subject.cells < 2 or most >= PAIRS or not subject.experiment.baseline:
        return
    if any(metric.kind != "exact" for metric in subject.metrics.values()):
        yield (
            "repeat.between",
            (
                f"{most} blocks cannot find a difference of treatments: the smallest p of "
                f"so many pairs is {2 / 2**most:.2g}, and {PAIRS} are needed"
            ),
        )


def _half(subject: Subject) -> Hits:
    for claim in subject.claims:
        wide = base(claim.margin.absolute) if claim.margin else None
        if wide is None:
            continue
        for level, number in numbers(claim):
            sizes = [base(end) for end in (number.value, number.low, number.high)]
            known = [abs(size) for size in sizes if size]
            if known and wide > min(known) / 2:
                share = wide / min(known)
                what = f"± {share:.0%} of the number: almost nothing would contradict it"
                yield place(claim, "margin", level), what


def _window(subject: Subject) -> Hits:
    load = subject.base.load
    steps = [] if load is None or load.generator == "none" else load.expanded_steps()
    shortest = min((step.duration_s for step in steps), default=None)
    for name, metric in subject.metrics.items():
        per = next((s for end, s in _PER.items() if (metric.as_ or "").endswith(end)), 0.0)
        if per and shortest is not None and shortest < per:
            yield (
                f"metrics.{name}",
                (
                    f"is a rate per {per:g} s, measured for {shortest:g} s: what happens once in "
                    "the published interval is mostly not seen"
                ),
            )


def _layout(subject: Subject) -> Hits:
    factors = subject.experiment.factors.values()
    built = any("build" in over for factor in factors for over in factor.levels.values())
    levels = subject.experiment.repeat.levels
    if not built or (levels is not None and levels.build is not None):
        return
    for claim in subject.claims:
        names = str(claim.expect or claim.same or claim.metric or "")
        timed = [
            name
            for name, metric in subject.metrics.items()
            if re.search(rf"\b{re.escape(name)}\b", names) and source_of(metric).startswith(_TIMED)
        ]
        if timed:
            yield (
                place(claim),
                (
                    f"compares the speed of builds, each built once: {timed[0]} may differ by "
                    "the layout of the code alone"
                ),
            )


def _universal(subject: Subject) -> Hits:
    for claim in subject.claims:
        if claim.estimand is not None or _determined(subject, claim):
            continue
        said = _UNIVERSAL.search(claim.quote)
        zero = any(0 in (base(number.high), base(number.value)) for _, number in numbers(claim))
        if said or zero:
            what = f"says “{said[0]}”" if said else "publishes 0"
            yield (
                place(claim),
                f"{what} and is judged as a median: half of the repetitions may break it",
            )


def _bound(subject: Subject) -> Hits:
    for claim in subject.claims:
        if claim.bound is None or claim.estimand_kind not in ("never", "always"):
            continue
        wanted = math.ceil(math.log(0.05) / math.log1p(-claim.limit) - 1e-9)
        if subject.most < wanted:
            yield (
                place(claim, "bound"),
                (
                    f"{claim.bound} takes {wanted} repetitions without one, and "
                    f"{subject.most} is the most"
                ),
            )


def _claimed(subject: Subject, name: str) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(
        claim.metric == name or word.search(str(claim.expect or claim.same or ""))
        for claim in subject.claims
    )


def _printed(subject: Subject) -> Hits:
    for name, metric in subject.metrics.items():
        source = source_of(metric)
        printed = metric.kind == "exact" and source and not source.startswith("build.")
        if printed and _claimed(subject, name):
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
