"""Searches of a run: what each found, and how often each level was healthy."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import LevelRow, SearchRow, SearchShown

_BOUNDS: Final = {
    "low": "at its lower bound: nothing passed there",
    "high": "at its upper bound: all passed up to there",
}


def normal(search: SearchShown | None) -> SearchShown | None:
    """Give a search in one form, whatever of it was recorded.

    `levels` is summed over the runs' tables where it is not given: rows of level,
    healthy, trials. `curve` and `half` are left as they are: they are fitted by
    whoever made the search.
    """
    if not search:
        return None
    runs = list(search.get("runs") or search.get("searches") or ())
    levels = search.get("levels")
    if levels is None:
        sums: dict[float, list[int]] = defaultdict(lambda: [0, 0])
        for run in runs:
            for level, healthy, trials in run.get("table") or ():
                sums[level][0] += healthy
                sums[level][1] += trials
        levels = [{"level": x, "passes": p, "trials": n} for x, (p, n) in sums.items()]
    ordered = sorted(levels, key=lambda item: float(item["level"]))
    return {**search, "runs": runs, "levels": ordered}


def view(recorded: SearchShown | None) -> dict[str, object] | None:
    """Give what the template shows of a search; its keys are in docs/design/001-contracts.md."""
    search = normal(recorded)
    if search is None:
        return None
    what, unit = str(search.get("what") or "level"), str(search.get("unit") or "")
    half = None
    if search.get("half") is not None:
        found_in = search.get("interval") or (None, None)
        near = units.interval((found_in[0], found_in[1]), unit or "1")
        middle = units.amount(search["half"], unit or "1")
        half = Md(f"P(healthy) = ½ at {escape(middle)} ({escape(near)}).")
    return {
        "half": half,
        "searches": _runs(search["runs"], what, unit),
        "levels": _levels(search["levels"], what, unit),
        "monotone": search.get("monotone"),
        "notes": list(search.get("notes") or ()),
    }


def _runs(runs: Sequence[SearchRow], what: str, unit: str) -> Md | None:
    treated = any(run.get("treatment") for run in runs)
    rows = [
        [
            run.get("repetition", i),
            *([words.treatment(run.get("treatment") or {})] if treated else []),
            level_text(run.get("level"), unit),
            units.interval(_own(run), "B" if unit == "B" else "1"),
            _bracket(run.get("last_passing"), run.get("first_failing"), unit),
            units.count(run.get("trials")),
            run.get("ended") or _BOUNDS.get(str(run.get("at_bound")), "") or run.get("why") or "",
        ]
        for i, run in enumerate(runs, 1)
    ]
    head = [
        "search", *(["treatment"] if treated else []), what, "its 90 % interval", "between",
        "trials", "ended",
    ]  # fmt: skip
    return markdown.table(head, rows, "r" + "l" * treated + "rrlrl") if rows else None


def _own(run: SearchRow) -> tuple[float, float] | None:
    """Give the interval of one search; searches vary by more."""
    fitted = run.get("fitted") or {}
    low, high = run.get("interval") or (fitted.get("low"), fitted.get("high"))
    return None if low is None or high is None else (float(low), float(high))


def _levels(levels: Sequence[LevelRow], what: str, unit: str) -> Md | None:
    rows = [
        [
            level_text(item["level"], unit),
            f"{item['passes']} of {item['trials']}",
            units.percent(item["passes"] / item["trials"] if item["trials"] else None),
        ]
        for item in levels
    ]
    return markdown.table([what, "healthy", "share"], rows, "rrr") if rows else None


def _bracket(low: float | None, high: float | None, unit: str) -> str:
    if low is None and high is None:
        return units.NONE
    return f"{level_text(low, unit)} … {level_text(high, unit)}"


def level_text(level: float | None, unit: str) -> str:
    """Write a level: a size in its unit, anything else as a count with all its digits."""
    return units.amount(level, unit) if unit == "B" else units.count(level)
