"""What was changed on the hosts, and that it was put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.records.outcome import QUIET
from runner.report.format import markdown, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.records.changes import CellChange
    from runner.records.outcome import Phase
    from runner.records.plain import Json

_OF_TREATMENTS: Final[tuple[Phase, ...]] = ("treatment", "base")
_CELL: Final = 80


def table(changes: Sequence[CellChange]) -> dict[str, object]:
    """Give a row per cell: before, during, after; cells that were right already are counted."""
    cells: dict[tuple[str, str], list[CellChange]] = {}
    for change in changes:
        if change.phase not in _OF_TREATMENTS:
            cells.setdefault((change.host, change.id), []).append(change)
    touched = {key: seen for key, seen in cells.items() if not _quiet(seen)}
    many = len({host for host, _ in cells}) > 1
    rows = [
        [*([host] if many else []), code(name), *_row(seen)]
        for (host, name), seen in touched.items()
    ]
    head = [*(["host"] if many else []), "what", "before", "during", "after", "result"]
    return {
        "table": markdown.table(head, rows, "l" * len(head)) if rows else None,
        "treatments": _treatments(changes),
        "ok": len(cells) - len(touched),
        "total": len(cells),
    }


def _treatments(changes: Sequence[CellChange]) -> Md | None:
    """Give what each treatment laid over the base, read back every time; None where none did."""
    by_treatment: dict[tuple[str, str, str], list[CellChange]] = {}
    for change in changes:
        if change.phase == "treatment":
            by_treatment.setdefault((change.treatment, change.host, change.id), []).append(change)
    many = len({host for _, host, _ in by_treatment}) > 1
    rows = [
        [
            escape(levels or "all"),
            *([host] if many else []),
            code(name),
            _each([change.before for change in seen]),
            _each([change.after for change in seen]),
            _each([change.outcome for change in seen]),
            str(len(seen)),
        ]
        for (levels, host, name), seen in by_treatment.items()
    ]
    head = ["treatment", *(["host"] if many else []), "what", "over", "during", "result", "times"]
    return markdown.table(head, rows, "l" * (len(head) - 1) + "r") if rows else None


def _each(values: Sequence[Json]) -> Md:
    return escape(", ".join(dict.fromkeys(map(words.value, values))), _CELL)


def _quiet(seen: Sequence[CellChange]) -> bool:
    return all(change.outcome in QUIET for change in seen)


def _row(seen: Sequence[CellChange]) -> list[Md]:
    """Say what was there before the first change, with the last one, and once it was put back.

    A run that was gone on with, or that rebooted, has brought a cell to its state more than once.
    """
    applied = [change for change in seen if change.phase not in ("restore", "again")]
    restored = next((change for change in reversed(seen) if change.phase == "restore"), None)
    before = _shown(applied[0].before) if applied else escape("–")
    during = _shown(applied[-1].after if applied else restored.before if restored else None)
    after = _shown(restored.after) if restored else escape("as during")
    return [before, during, after, _result(applied, restored)]


def _shown(value: Json) -> Md:
    return escape(words.value(value), _CELL)


def _result(applied: Sequence[CellChange], restored: CellChange | None) -> Md:
    loud = [change for change in applied if change.outcome not in QUIET]
    parts = []
    for change in (*(loud or applied)[-1:], *([restored] if restored else [])):
        why = f" ({escape(change.why)})" if change.why else ""
        parts.append(f"{escape(change.outcome)}{why}")
    if restored is None and any(change.outcome == "changed" for change in applied):
        parts.append("kept")
    return Md(", ".join(parts))
