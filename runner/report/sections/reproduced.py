"""A run that was run again elsewhere: theirs against ours, as a page and as a sentence. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.analysis.runs.compared import DIFFERENT
from runner.report.format import markdown, words
from runner.report.sections import comparison

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.analysis.model import ClaimResult
    from runner.analysis.runs.compared import Comparison

Pair = tuple[str, str, str, str]
"""(claim, quote, their verdict, our verdict)."""


def pairs(theirs: Iterable[ClaimResult], ours: Iterable[ClaimResult]) -> list[Pair]:
    """Pair the verdicts by claim; a claim of one side only is `–` on the other."""
    by_claim: dict[str, list[str]] = {}
    for side, claims in enumerate((theirs, ours)):
        for claim in claims:
            row = by_claim.setdefault(claim.id, [claim.quote, "–", "–"])
            row[1 + side] = claim.verdict
    return [(name, quote, a, b) for name, (quote, a, b) in by_claim.items()]


def verdict(both: Comparison) -> str:
    """Say in a sentence what the reproduction came to."""
    counts = {name: sum(row.outcome == name for row in both.rows) for name in comparison.MARKS}
    differ = sum(counts[name] for name in DIFFERENT)
    if not both.rows or counts["not comparable"] == len(both.rows):
        return "not reproduced: no metric could be compared"
    if differ:
        return f"differs: {words.plural(differ, 'metric')} of {len(both.rows)}"
    if counts["equivalent"] == len(both.rows):
        return f"reproduced: all {len(both.rows)} within {both.threshold:.3g} of theirs"
    return (
        f"undecided: nothing differs, {counts['equivalent']} of {len(both.rows)} are shown to lie "
        f"within {both.threshold:.3g} of theirs"
    )


def exit_code(both: Comparison) -> int:
    """1 where a metric differs, 2 where nothing could be compared, else 0."""
    if any(row.outcome in DIFFERENT for row in both.rows):
        return 1
    return 2 if not any(row.outcome != "not comparable" for row in both.rows) else 0


def page(both: Comparison, verdicts: Sequence[Pair]) -> str:
    """Give the page: the sentence, what differs in the environment, metrics, claims."""
    own = comparison.page(both).split("\n\n", 2)
    parts = [f"# {markdown.escape(both.a)} reproduced as {markdown.escape(both.b)}"]
    parts += [
        f"**{verdict(both)[:1].upper()}{verdict(both)[1:]}.** a: theirs, b: ours.",
        own[2].rstrip(),
    ]
    if verdicts:
        parts.append("## Published numbers")
        rows = [[markdown.code(name), quote, a, b] for name, quote, a, b in verdicts]
        parts.append(markdown.table(["claim", "quote", "theirs", "ours"], rows, "llll"))
    return "\n\n".join(parts) + "\n"


def lines(verdicts: Iterable[Pair]) -> list[str]:
    """Give the claims' verdicts for a terminal."""
    return [f"claim {name}: theirs {a}, ours {b}" for name, _, a, b in verdicts]
