"""The ledger of claims as a page: every published number, and what the runs say of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.records.units import base_name
from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, escape, join
from runner.report.sections import claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import ClaimResult


@dataclass(frozen=True)
class Row:
    """One claim in the ledger."""

    experiment: str
    spec: str
    title: str
    source: str
    claim: ClaimResult
    run: str | None = None
    report: str | None = None
    """Path of the report from the page's folder."""
    shown: bool = True
    """Whether the report has a section of this claim: a claim may be younger than its run."""
    changed: tuple[str, ...] = ()
    """Sections of the spec that changed after the run."""
    host: str = ""
    """Kind of host that the run was on."""

    def data(self) -> dict[str, object]:
        """Give it as `--json` prints it."""
        claim = self.claim
        return {
            "experiment": self.experiment,
            "spec": self.spec,
            "source": self.source,
            "id": claim.id,
            "section": claim.section,
            "quote": claim.quote,
            "published": claim.published,
            "verdict": claim.verdict,
            "reason": claim.reason,
            "estimate": claim.estimate,
            "interval": claim.interval,
            "level": claim.level,
            "unit": base_name(claim.unit),
            "shown_in": claim.unit,
            "n": claim.n,
            "required": claim.required,
            "run": self.run,
            "report": self.report,
            "host": self.host,
            "changed_after_run": list(self.changed),
        }


def page(rows: Sequence[Row]) -> str:
    """Give the ledger as Markdown; the same rows, the same bytes."""
    counted = Counter(words.verdict(row.claim.verdict) for row in rows)
    counts = ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))
    statements = {(row.source.split(", section")[0], row.claim.quote) for row in rows}
    head = (
        f"{words.plural(len(statements), 'published statement')} with "
        f"{words.plural(len(rows), 'verdict')} (one with parts has a verdict for each) in "
        f"{words.plural(len({row.spec for row in rows}), 'experiment')}: {counts or 'none'}. "
        "Each verdict is that of the newest finished run on the kind of host whose facts are "
        "nearest to what the claim declares; made by `runner claims --markdown`."
    )
    parts = ["# Claims", head]
    for spec in dict.fromkeys(row.spec for row in rows):
        own = [row for row in rows if row.spec == spec]
        first = own[0]
        parts.append(f"## {escape(first.title or first.experiment, 200)}")
        about = [f"Spec {markdown.code(spec)}", f"repeat: {markdown.code(f'runner apply {spec}')}"]
        ran = list(dict.fromkeys(row for row in map(_run, own) if row is not None))
        about += [f"run {shown}" for shown, _ in ran] or ["no finished run"]
        if first.source:
            about.append(f"source: {escape(first.source, 300)}")
        parts.append(Md("; ".join(about) + "."))
        for shown, changed in ran:
            names = join(map(markdown.code, changed), ", ")
            if names:
                parts.append(f"> **Changed after the run** {shown}: {names} of the spec.")
        parts.append(_table(own))
    return "\n\n".join(parts) + "\n"


def _run(row: Row) -> tuple[Md, tuple[str, ...]] | None:
    """Give the link to a row's run with its kind of host, and what changed after it."""
    if row.run is None:
        return None
    where = f" ({escape(row.host, 100)})" if row.host else ""
    return Md(f"{markdown.link(row.run, row.report or '')}{where}"), row.changed


def _table(rows: Sequence[Row]) -> Md:
    head = [
        "claim",
        "section",
        "quote",
        "published",
        "measured",
        "interval",
        "n",
        "host",
        "verdict",
    ]
    cells = [
        [
            _linked(row),
            row.claim.section,
            escape(row.claim.quote, 160),
            row.claim.published,
            claims.measured(row.claim),
            claims.interval(row.claim),
            row.claim.n or units.NONE,
            escape(row.host, 100) or units.NONE,
            words.verdict(row.claim.verdict) + ("" if row.claim.required else " (not required)"),
        ]
        for row in rows
    ]
    return markdown.table(head, cells, "llllrrrll")


def _linked(row: Row) -> Md:
    if row.report is None:
        return escape(row.claim.id)
    place = f"#{claims.anchor(row.claim.id)}" if row.shown else ""
    return markdown.link(row.claim.id, f"{row.report}{place}")


def lines(rows: Sequence[Row]) -> list[str]:
    """Give the ledger for a terminal: one line per claim."""
    shown = []
    for row in rows:
        claim = row.claim
        seen = ""
        if claim.estimate is not None:
            seen = claims.measured(claim)
            if claim.interval is not None:
                seen += f" [{claims.interval(claim)}]"
            seen += f", n = {claim.n}"
        quote = markdown.visible(claim.quote, 60)
        shown.append(
            f"{row.experiment}  {claim.id:<8} {words.verdict(claim.verdict):<18} "
            f"{claim.published or '–'}  →  {seen or '–'}   「{quote}」"
        )
    return shown
