"""What is asked and seen, put in words: sentences and cells of a report."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.planning.ids import is_plain, shown
from runner.records.quantities import unit_factor
from runner.records.units import base_name
from runner.report.format import units
from runner.report.format.markdown import Md, code, escape
from runner.spec.fact_names import unit_of
from runner.spec.limits import UNBOUND, UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.outcome import Outcome, Verdict

SIGNS: Mapping[Outcome, str] = {"healthy": "✓", "unhealthy": "✗", "invalid": "⊘", "error": "‼"}
"""Of an outcome: colour alone says nothing to some, and Markdown has none."""
MARKS: Mapping[str, str] = {name: f"{sign} {name}" for name, sign in SIGNS.items()}
"""Outcomes with their signs."""

VERDICTS: Mapping[Verdict, str] = {
    "reproduced": "✓ reproduced",
    "contradicted": "✗ contradicted",
    "differs (environment undeclared)": "≠ differs (environment undeclared)",
    "inconclusive": "? inconclusive",
    "not comparable": "◇ not comparable",
    "not measured": "– not measured",
    "not testable": "– not testable",
}


def outcome(name: str) -> str:
    """Give an outcome with its sign."""
    return MARKS.get(name, name)


def verdict(name: Verdict) -> str:
    """Give a verdict with its sign."""
    return VERDICTS.get(name, name)


def when(at: float | None) -> str:
    """Give a time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else units.NONE


def plural(number: int, word: str, many: str = "") -> str:
    """1 trial, 2 trials."""
    return f"{number} {word if number == 1 else many or word + 's'}"


def treatment(levels: Mapping[str, str]) -> str:
    """Levels of a treatment: flags=stripped, memory=32MiB."""
    return shown(levels)


def trial(name: str, levels: Mapping[str, str]) -> Md:
    """Give a trial's id, with the levels as they are written where the id is only a slug."""
    levels_text = "" if is_plain(levels) else f" ({treatment(levels)})"
    return Md(f"{code(name)}{escape(levels_text)}")


def value(content: object) -> str:
    """Show a cell's value: text as it is, a file by its size and mode, absence as a word."""
    if content is None:
        return "absent"
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, dict):
        return _structured(content)
    if isinstance(content, list | tuple):
        return " ".join(value(item) for item in content) or "none"
    if isinstance(content, float):
        return units.digits(content, 4)
    return str(content) if str(content).strip() else "(empty)"


def _structured(content_of: Mapping[str, Any]) -> str:
    match content_of.get("type"):
        case "file":
            content = content_of.get("bytes_b64")
            try:
                length = len(base64.b64decode(content or ""))
            except ValueError:
                return "file"
            mode = content_of.get("mode")
            shown = (
                f", mode {mode:04o}" if isinstance(mode, int) else f", mode {mode}" if mode else ""
            )
            return f"file, {units.size(length)}{shown}"
        case "symlink":
            return f"link to {content_of.get('target')}"
        case "dir":
            return "folder"
    if set(content_of) == {"priority"}:
        return f"on, priority {content_of['priority']}"
    return ", ".join(f"{key}: {value(item)}" for key, item in content_of.items()) or "none"


def fact(name: str, amount: object) -> str:
    """Show a fact in its unit; a limit that is none as such."""
    if isinstance(amount, int) and not isinstance(amount, bool) and amount:
        if name.startswith("limits.") and amount >= UNBOUND:
            return UNLIMITED
        unit = unit_of(name)
        if unit:
            return units.amount(amount * float(unit_factor(unit)[1]), base_name(unit))
    return value(amount)
