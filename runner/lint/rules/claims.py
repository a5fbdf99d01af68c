"""Rules about claims: their scope, their width, what has to match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.model import SIGPLAN, Rule
from runner.lint.subject import numbers, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject

    Hits = Iterator[tuple[str, str]]

_WIDE = 0.2


def _scope(subject: Subject) -> Hits:
    for claim in subject.claims:
        if not claim.must:
            yield place(claim), "names no fact that must match: it is judged on any machine"


def _undeclared(subject: Subject) -> Hits:
    for claim in subject.claims:
        missing = [name for name in claim.must if name not in claim.declared]
        if missing:
            where = place(claim, "declared")
            yield where, f"says nothing of {', '.join(missing)}: the verdict cannot be contradicted"


def _elsewhere(subject: Subject) -> Hits:
    here = subject.facts.get("board.model")
    if here is None:
        return
    model = str(here).casefold().partition(" rev ")[0]
    for claim in subject.claims:
        said = claim.declared.get("board.model")
        if said and "board.model" in claim.must and str(said).casefold() != model:
            what = f"is of a {said}; this host is a {here}: it will be `not comparable`"
            yield place(claim), what


def _no_width(subject: Subject) -> Hits:
    for claim in subject.sampled:
        for level, number in numbers(claim):
            if number.value is None or claim.margin is not None:
                continue
            if number.rounded_to is None and number.plus_minus is None:
                what = f"`{number.value}` has no width: no measurement can reproduce it"
                yield place(claim, level=level), what


def _wide(subject: Subject) -> Hits:
    for claim in subject.claims:
        relative = claim.margin.relative if claim.margin else None
        if relative is not None and relative.ratio > _WIDE:
            where = place(claim, "margin")
            yield (
                where,
                f"± {relative.ratio:.0%} reproduces numbers that nobody would call the same",
            )


def _unclaimed(subject: Subject) -> Hits:
    if subject.experiment.source is not None and not subject.experiment.claims:
        yield "claims", "a source is named, and none of its statements"


RULES = (
    Rule(
        "claim-without-scope", "warning",
        "A claim names no fact that has to match.",
        "A number from a Raspberry Pi is then reproduced or contradicted by a server.",
        "List `must:` with `declared:`.",
        f"{SIGPLAN}, “Appropriately-scoped claims”",
        _scope,
    ),
    Rule(
        "fact-not-declared", "note",
        "A fact must match and the source does not declare it.",
        "A difference may then be the environment's; the verdict is `differs (environment "
        "undeclared)`.",
        "Add it to `declared:` if the source says it, else leave it: the report tells.",
        f"{SIGPLAN}, “Sufficient information to repeat”",
        _undeclared,
    ),
    Rule(
        "another-board", "note",
        "A claim is of another board than the host.",
        "Its number is measured and shown beside the facts that differ, and gets no verdict.",
        "Run it on the board that is declared: `-H`.",
        f"{SIGPLAN}, “Appropriately-scoped claims”",
        _elsewhere,
    ),
    Rule(
        "value-without-width", "warning",
        "A published value has neither rounding nor margin.",
        "A median never equals a number exactly; 12.3 stands for [12.25, 12.35].",
        "Give `rounded_to:`, `plus_minus:` or a `margin:` with its reason.",
        f"GUM F.2.2.1; {SIGPLAN}, “Appropriate level of precision”",
        _no_width,
    ),
    Rule(
        "margin-wide", "warning",
        "The margin is wider than 20 %.",
        "Everything is equivalent within a margin that is wide enough.",
        "Narrow it to what would make no difference to a user.",
        "Lakens 2017, Social Psychological and Personality Science 8, 355-362",
        _wide,
    ),
    Rule(
        "claims-not-stated", "note",
        "A source is named and nothing of it is claimed.",
        "What is to be shown has to be said before the data.",
        "Write `claims:` with quote, number and margin.",
        f"{SIGPLAN}, “Explicit claims”",
        _unclaimed,
    ),
)  # fmt: skip
