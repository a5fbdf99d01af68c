"""What was changed on the hosts, and that it was put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.format import markdown, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OF_TREATMENTS = ("treatment", "base")
_QUIET = frozenset({"ok", "ok (normalised)"})
_CELL = 80


def table(changes: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Give a row per cell: before, during, after; cells that were right already are counted."""
    cells: dict[tuple[str, str], dict[str, Mapping[str, object]]] = {}
    for change in changes:
        if change.get("event", "result") != "result" or "id" not in change:
            continue
        if change.get("phase") in _OF_TREATMENTS:
            continue
        key = (str(change.get("host", "")), str(change["id"]))
        cells.setdefault(key, {})[str(change.get("phase", "converge"))] = change
    touched = {key: phases for key, phases in cells.items() if not _quiet(phases)}
    many = len({host for host, _ in cells}) > 1
    rows = [
        [*([host] if many else []), code(name), *_row(phases)]
        for (host, name), phases in touched.items()
    ]
    head = [*(["host"] if many else []), "what", "before", "during", "after", "result"]
    return {
        "table": markdown.table(head, rows, "l" * len(head)) if rows else None,
        "treatments": _treatments(changes),
        "ok": len(cells) - len(touched),
        "total": len(cells),
    }


def _treatments(changes: Sequence[Mapping[str, object]]) -> Md | None:
    """Give what each treatment laid over the base, read back every time; None where none did."""
    found: dict[tuple[str, str, str], list[Mapping[str, object]]] = {}
    for change in changes:
        if change.get("phase") == "treatment":
            key = (str(change.get("treatment", "")), str(change.get("host", "")), str(change["id"]))
            found.setdefault(key, []).append(change)
    many = len({host for _, host, _ in found}) > 1
    rows = [
        [
            escape(levels or "all"),
            *([host] if many else []),
            code(name),
            *(escape(", ".join(_each(seen, key)), _CELL) for key in ("before", "after", "outcome")),
            str(len(seen)),
        ]
        for (levels, host, name), seen in found.items()
    ]
    head = ["treatment", *(["host"] if many else []), "what", "over", "during", "result", "times"]
    return markdown.table(head, rows, "l" * (len(head) - 1) + "r") if rows else None


def _each(seen: Sequence[Mapping[str, object]], key: str) -> list[str]:
    return list(dict.fromkeys(words.value(change.get(key)) for change in seen))


def _quiet(phases: Mapping[str, Mapping[str, object]]) -> bool:
    return all(change.get("outcome") in _QUIET for change in phases.values())


def _row(phases: Mapping[str, Mapping[str, object]]) -> list[Md]:
    applied, restored = phases.get("converge", {}), phases.get("restore", {})
    before = _shown(applied, "before") if applied else escape("–")
    during = _shown(applied, "after") if applied else _shown(restored, "before")
    after = _shown(restored, "after") if restored else escape("as during")
    return [before, during, after, _result(applied, restored)]


def _shown(change: Mapping[str, object], key: str) -> Md:
    return escape(words.value(change.get(key)), _CELL)


def _result(applied: Mapping[str, object], restored: Mapping[str, object]) -> Md:
    parts = []
    for change in (applied, restored):
        if change:
            why = f" ({escape(change['why'])})" if change.get("why") else ""
            parts.append(f"{escape(change.get('outcome', '?'))}{why}")
    if applied and not restored and applied.get("outcome") == "changed":
        parts.append("kept")
    return Md(", ".join(parts))
