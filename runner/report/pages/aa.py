"""A against A, as a line and a page: how often a host finds a difference where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.analysis.runs.compared import ALPHA
from runner.report.format import markdown, units, words

if TYPE_CHECKING:
    from runner.analysis.runs.false_differences import FalseDifferences, Rate


def line(rates: FalseDifferences) -> str:
    """Say the rate, and whether it is one that chance explains."""
    sentence = (
        f"A against A, {words.plural(rates.interleaved.of, 'experiment')} of {rates.blocks} "
        f"blocks: {_rate(rates.interleaved)} found a difference within blocks, "
        f"{_rate(rates.apart)} measured one after the other"
    )
    if not rates.interleaved.of:
        return f"{sentence}: no experiment was complete, so nothing is known"
    if rates.interleaved.too_often:
        return (
            f"{sentence}: more than the {ALPHA:.0%} of chance; do not trust a difference found here"
        )
    if rates.apart.too_often:
        return f"{sentence}: compare within blocks here, and never one run with another"
    return f"{sentence}: no more than the {ALPHA:.0%} of chance, as far as so many show"


def _rate(rate: Rate) -> str:
    if not rate.of:
        return "0 of 0"
    low, high = rate.bounds
    return f"{rate.found} of {rate.of} ({units.percent(low)} to {units.percent(high)} at 90 %)"


def page(rates: FalseDifferences, title: str) -> str:
    """Give the page: the rate, then each metric with the smallest difference that is seen."""
    rows = [
        [
            markdown.code(one.metric),
            words.treatment(dict(one.where)) or "–",
            f"{one.interleaved.found} of {one.interleaved.of}",
            " … ".join(f"{end:.4f}" for end in one.ratio or ()) or units.NONE,
        ]
        for one in rates.metrics
    ]
    sentence = line(rates)
    parts = [f"# {markdown.escape(title)}: A against A", f"{sentence}."]
    if rows:
        head = ["metric", "where", "found to differ", "A / A, 90 % interval, all blocks"]
        parts.append(markdown.table(head, rows, "llrr"))
    parts.append(
        "Both sides are the same program under the same state, interleaved in blocks. Each "
        "experiment is compared as `runner compare` does, with one error rate of "
        f"{ALPHA:.0%} for all its metrics; “one after the other” is A of one experiment "
        "against B of the next. A ratio inside the interval of A / A is not told from 1 here."
    )
    return "\n\n".join(parts) + "\n"
