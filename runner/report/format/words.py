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
    told = "" if is_plain(levels) else f" ({treatment(levels)})"
    return Md(f"{code(name)}{escape(told)}")


def value(found: object) -> str:
    """Show a cell's value: text as it is, a file by its size and mode, absence as a word."""
    if found is None:
        return "absent"
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, dict):
        return _structured(found)
    if isinstance(found, list | tuple):
        return " ".join(value(item) for item in found) or "none"
    if isinstance(found, float):
        return units.digits(found, 4)
    return str(found) if str(found).strip() else "(empty)"


def _structured(found: Mapping[str, Any]) -> str:
    match found.get("type"):
        case "file":
            content = found.get("bytes_b64")
            try:
                length = len(base64.b64decode(content or ""))
            except ValueError:
                return "file"
            mode = found.get("mode")
            shown = (
                f", mode {mode:04o}" if isinstance(mode, int) else f", mode {mode}" if mode else ""
            )
            return f"file, {units.size(length)}{shown}"
        case "symlink":
            return f"link to {found.get('target')}"
        case "dir":
            return "folder"
    if set(found) == {"priority"}:
        return f"on, priority {found['priority']}"
    return ", ".join(f"{key}: {value(item)}" for key, item in found.items()) or "none"


def fact(name: str, found: object) -> str:
    """Show a fact in its unit; a limit that is none as such."""
    if isinstance(found, int) and not isinstance(found, bool) and found:
        if name.startswith("limits.") and found >= UNBOUND:
            return UNLIMITED
        unit = unit_of(name)
        if unit:
            return units.amount(found * float(unit_factor(unit)[1]), base_name(unit))
    return value(found)
