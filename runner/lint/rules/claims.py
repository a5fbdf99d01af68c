"""Rules about claims: their scope, their width, what has to match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.model import SIGPLAN, Rule
from runner.lint.view import amount, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.view import View

    Hits = Iterator[tuple[str, str]]

_WIDE = 0.2


def _scope(view: View) -> Hits:
    for claim in view.claims:
        if not claim.get("must"):
            where = f"claims.{claim.get('id')}"
            yield where, "names no fact that must match: it is judged on any machine"


def _undeclared(view: View) -> Hits:
    for claim in view.claims:
        declared = claim.get("declared") or {}
        missing = [name for name in claim.get("must") or () if name not in declared]
        if missing:
            where = f"claims.{claim.get('id')}.declared"
            yield where, f"says nothing of {', '.join(missing)}: the verdict cannot be contradicted"


def _elsewhere(view: View) -> Hits:
    here = view.facts.get("board.model")
    if here is None:
        return
    for claim in view.claims:
        said = (claim.get("declared") or {}).get("board.model")
        model = str(here).casefold().partition(" rev ")[0]
        if said and "board.model" in (claim.get("must") or ()) and str(said).casefold() != model:
            where = f"claims.{claim.get('id')}"
            yield where, f"is of a {said}; this host is a {here}: it will be `not comparable`"


def _no_width(view: View) -> Hits:
    for claim in view.sampled:
        for level, number in view.published(claim):
            if number.get("value") is None or claim.get("margin"):
                continue
            if number.get("rounded_to") is None and number.get("plus_minus") is None:
                where = f"claims.{claim.get('id')}" + (f" ({level})" if level else "")
                yield where, f"`{number['value']}` has no width: no measurement can reproduce it"


def _wide(view: View) -> Hits:
    for claim in view.claims:
        share = amount(at(claim, "margin", "relative"))
        if share is not None and share > _WIDE:
            where = f"claims.{claim.get('id')}.margin"
            yield where, f"± {share:.0%} reproduces numbers that nobody would call the same"


def _unclaimed(view: View) -> Hits:
    if view.at("source") and not view.at("claims"):
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
