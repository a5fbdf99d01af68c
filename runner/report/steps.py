"""Tables of steps: what was asked, what was established, what it cost, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.report import units, words
from runner.report.markdown import Md, code, escape, join, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.analysis.model import Step, Trial

Number = float | int | str | None

COLUMNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("established", "load.established", "count"),
    ("req/s", "load.rps", "rate"),
    ("p50", "load.latency_p50", "duration"),
    ("p90", "load.latency_p90", "duration"),
    ("p99", "load.latency_p99", "duration"),
    ("max", "load.latency_max", "duration"),
)
MEMORY: Final[tuple[tuple[str, str, str], ...]] = (
    ("RSS", "procfs.rss", "size"),
    ("cgroup peak", "cgroup.peak", "size"),
    ("OOM kills", "cgroup.oom_kills", "count"),
)
_SHOW: Final[dict[str, Callable[[Number], str]]] = {
    "count": units.count,
    "rate": lambda v: v if isinstance(v, str) else units.rate(v),
    "duration": lambda v: v if isinstance(v, str) else units.duration(v),
    "size": lambda v: v if isinstance(v, str) else units.size(v),
}
HEAD: Final = (
    "connections",
    *(c[0] for c in COLUMNS),
    "errors",
    *(c[0] for c in MEMORY),
    "outcome",
)
ALIGN: Final = "r" * (len(HEAD) - 1) + "l"
LISTED: Final = 12
"""Trials that get a table of their own; beyond, they share one."""


def errors(step: Step) -> str:
    """Give the errors by kind: 3 connect, 12 timeout; 0 where there were none."""
    kinds = {
        name.removeprefix("load.errors."): number
        for name, number in step.numbers.items()
        if name.startswith("load.errors.")
    }
    known = {kind: number for kind, number in kinds.items() if isinstance(number, int | float)}
    if not known:
        return units.count(step.numbers.get("load.errors"))
    some = [f"{units.count(number)} {kind}" for kind, number in known.items() if number]
    return ", ".join(some) or "0"


def row(step: Step) -> list[object]:
    """Cells of one step, without what stands before it."""
    cells: list[object] = [units.count(step.connections)]
    cells += [_SHOW[how](step.numbers.get(key)) for _, key, how in COLUMNS]
    cells.append(errors(step))
    cells += [_SHOW[how](step.numbers.get(key)) for _, key, how in MEMORY]
    cells.append(outcome(step))
    return cells


def outcome(step: Step) -> Md:
    """Outcome with the rules that did not hold and what was seen."""
    broken = [rule for rule in step.rules if rule.held is False]
    text = escape(words.outcome(step.outcome))
    if broken:
        text = Md(
            f"{text}: " + "; ".join(f"{code(r.rule)} (was {escape(r.actual)})" for r in broken)
        )
    return text


def tables(trials: Sequence[Trial]) -> list[tuple[str, Md]]:
    """Title and table; many trials of one step each share a table."""
    run = [trial for trial in trials if trial.steps]
    if len(run) > LISTED or (len(run) > 1 and all(len(trial.steps) == 1 for trial in run)):
        rows = [
            [code(trial.id), *([step.name] if _named(run) else []), *row(step)]
            for trial in run
            for step in trial.steps
        ]
        head = ["trial", *(["step"] if _named(run) else []), *HEAD]
        return [("", table(head, rows, "l" * (len(head) - len(HEAD)) + ALIGN))]
    found = []
    for trial in run:
        named = _named([trial])
        rows = [[*([step.name] if named else []), *row(step)] for step in trial.steps]
        head = [*(["step"] if named else []), *HEAD]
        found.append((title(trial), table(head, rows, "l" * named + ALIGN)))
    return found


def _named(trials: Sequence[Trial]) -> bool:
    """Whether a step's name says more than its connections do."""
    return any(step.name != str(step.connections) for trial in trials for step in trial.steps)


def title(trial: Trial) -> str:
    """Give the heading of a trial: its treatment, host and repetition."""
    parts = [trial.id]
    if trial.treatment:
        parts.append(words.treatment(trial.treatment))
    return " · ".join(parts)


def reasons(trials: Sequence[Trial]) -> list[Md]:
    """Why a dash stands where a number should: each reason once, with what it concerns."""
    shown = {key for _, key, _ in (*COLUMNS, *MEMORY)}
    found: dict[str, dict[str, None]] = {}
    for trial in trials:
        for step in trial.steps:
            for key, why in step.why.items():
                if key in shown and step.numbers.get(key) is None:
                    found.setdefault(why, {})[key] = None
    return [
        Md(f"{join((code(key) for key in keys), ', ')}: {escape(why)}")
        for why, keys in found.items()
    ]
