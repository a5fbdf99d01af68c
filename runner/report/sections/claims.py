"""Published numbers: one table of all, and a section for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape, join
from runner.report.sections import trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import ClaimResult
    from runner.records.manifest import Manifest

_RAW = 12


def anchor(claim_id: str) -> str:
    """Name a claim's section so that a link finds it."""
    return "claim-" + (re.sub(r"[^A-Za-z0-9]+", "-", claim_id).strip("-").lower() or "x")


def measured(claim: ClaimResult) -> str:
    """Say the estimate, and what it is of where it is a statement's."""
    amount = units.amount(claim.estimate, claim.unit)
    return f"{amount} ({claim.of})" if claim.of else amount


def interval(claim: ClaimResult) -> str:
    """Give the interval with the confidence that it has: whole ranks give more than 90 %."""
    shown = units.interval(claim.interval, claim.unit)
    if claim.interval is None or claim.level is None:
        return shown
    return f"{shown} at {units.percent(claim.level)}"


def table(claims: Sequence[ClaimResult]) -> Md | None:
    """Give a row per claim."""
    rows = [
        [
            markdown.link(claim.id, f"#{anchor(claim.id)}"),
            escape(claim.quote, 120),
            claim.published,
            measured(claim),
            interval(claim),
            claim.n,
            words.verdict(claim.verdict),
        ]
        for claim in claims
    ]
    head = ["claim", "quote", "published", "measured", "interval", "n", "verdict"]
    return markdown.table(head, rows, "lllrrrl") if rows else None


def sections(
    claims: Sequence[ClaimResult],
    figures: Mapping[str, Any],
    manifest: Manifest,
) -> list[dict[str, Any]]:
    """Give what the template shows of each claim."""
    return [
        {
            "id": claim.id,
            "anchor": Md(anchor(claim.id)),
            "section": claim.section,
            "quote": escape(claim.quote, 2000),
            "published": claim.published,
            "measured": measured(claim),
            "interval": interval(claim),
            "region": units.interval(claim.region, claim.unit),
            "n": claim.n,
            "verdict": words.verdict(claim.verdict),
            "required": claim.required,
            "reason": escape(claim.reason, 2000),
            "facts": _facts(claim),
            "figure": figures["claims"].get(claim.id),
            "order": figures["orders"].get(claim.id),
            "run_order": escape(claim.run_order, 500),
            "raw": _raw(claim, manifest),
        }
        for claim in claims
    ]


def _facts(claim: ClaimResult) -> Md | None:
    marks = {True: "✓ same", False: "✗ differs", None: "? undeclared"}
    rows = [
        [code(fact), declared or "–", observed or "–", marks[equal]]
        for fact, declared, observed, equal in claim.facts
    ]
    head = ["must match", "declared by the source", "observed here", ""]
    return markdown.table(head, rows, "llll") if rows else None


def _raw(claim: ClaimResult, manifest: Manifest) -> Md | None:
    shown = [trials.raw_link(trial, manifest) for trial in claim.trials[:_RAW]]
    if not shown:
        return None
    more = len(claim.trials) - len(shown)
    return Md(join(shown) + (f" and {more} more" if more else ""))
