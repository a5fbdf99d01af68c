"""Tables of steps: what was asked, what was established, what it cost, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.kinds.units import unit_of
from runner.report.format import units, words
from runner.report.format.markdown import Md, code, escape, join, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.analysis.model import RuleResult, Step, Trial
    from runner.spec.experiment import Experiment

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
    cells.append(words.outcome(step.outcome) + (", not steady" if step.steady else ""))
    return cells


def in_order(trials: Sequence[Trial], experiment: Experiment) -> list[Trial]:
    """Order trials by their treatment as the spec writes it; within one as they were run."""
    ranks = {
        name: {level: i for i, level in enumerate(factor.names())}
        for name, factor in experiment.factors.items()
    }

    def place(trial: Trial) -> list[int]:
        return [rank.get(trial.treatment.get(name, ""), 0) for name, rank in ranks.items()]

    return sorted(trials, key=place)


def shown(trials: Sequence[Trial]) -> list[int]:
    """Pick the columns of HEAD that say something of these trials: no load, no load's columns.

    A limit's peak and kills are left out where no trial had a group; a number of the load that
    is missing everywhere stays, with its reason below the table.
    """
    steps = [step for trial in trials for step in trial.steps]
    keys = {key for step in steps for key in (*step.numbers, *step.why)}
    known = {key for step in steps for key, value in step.numbers.items() if value is not None}
    asked = any(step.connections is not None for step in steps)
    loaded = asked or any(key.startswith("load.errors") for key in keys)
    there = [asked, *(key in keys for _, key, _ in COLUMNS), loaded]
    there += [*(key in known for _, key, _ in MEMORY), True]
    return [i for i, present in enumerate(there) if present]


def broken(trials: Sequence[Trial]) -> list[Md]:
    """Give each rule that did not hold, with what was seen and where."""
    places_of: dict[str, list[str]] = {}
    for trial in trials:
        for step in trial.steps:
            for rule in step.rules:
                if rule.held is False:
                    seen = actual(rule)
                    where = f"{seen} at {step.name}" if len(trial.steps) > 1 else seen
                    of = f" in {trial.id}" if len(trials) > 1 else ""
                    places_of.setdefault(rule.rule, []).append(where + of)
    lines = []
    for name, places in places_of.items():
        more = f", and {len(places) - LISTED} more" if len(places) > LISTED else ""
        lines.append(Md(f"{code(name)}: {join(places[:LISTED])}{more}"))
    return lines


def actual(rule: RuleResult) -> str:
    """Show what a rule saw; records of `run/1` have numbers in base units there."""
    name = rule.rule.split(" ")[0]
    try:
        value = float(rule.actual)
    except ValueError:
        return rule.seen if rule.actual else rule.why or units.NONE
    return units.amount(value, unit_of(name) or "1")


def tables(trials: Sequence[Trial]) -> list[tuple[str, Md]]:
    """Title and table; many trials of one step each share a table."""
    run = [trial for trial in trials if trial.steps]
    if len(shown(run)) == 1 and all(t.outcome == "healthy" for t in run):
        return []  # programs that end, and all did: their numbers are the metrics
    if len(run) > LISTED or (len(run) > 1 and all(len(trial.steps) == 1 for trial in run)):
        return [("", _table(run, trial_column=True))]
    return [(title(trial), _table([trial])) for trial in run]


def _table(trials: Sequence[Trial], *, trial_column: bool = False) -> Md:
    columns = shown(trials)
    named = _named(trials)
    head = [*(["trial"] if trial_column else []), *(["step"] if named else [])]
    left = "l" * len(head)
    rows = []
    for trial in trials:
        for step in trial.steps:
            cells = row(step)
            name = words.trial(trial.id, trial.treatment)
            before = [*([name] if trial_column else []), *([step.name] if named else [])]
            rows.append([*before, *(cells[i] for i in columns)])
    head += [HEAD[i] for i in columns]
    return table(head, rows, left + "".join(ALIGN[i] for i in columns))


def _named(trials: Sequence[Trial]) -> bool:
    """Whether a step's name says more than its connections do."""
    return any(step.name != str(step.connections) for trial in trials for step in trial.steps)


def title(trial: Trial) -> str:
    """Give the heading of a trial: its treatment, host and repetition."""
    parts = [trial.id]
    if trial.treatment:
        parts.append(words.treatment(trial.treatment))
    return " · ".join(parts)


def unsteady(trials: Sequence[Trial]) -> list[Md]:
    """Say what was not in a steady state in which steps, most of them first."""
    places_of: dict[str, list[tuple[str, str]]] = {}
    for trial in trials:
        for step in trial.steps:
            for text in step.steady or ():
                name, _, how = text.partition(" ")
                at = f" at {step.name}" if len(trial.steps) > 1 else ""
                places_of.setdefault(name, []).append((how, f"{at} in {trial.id}"))
    lines = []
    for name, places in sorted(places_of.items(), key=lambda item: (-len(item[1]), item[0])):
        more = f", and {len(places) - LISTED} more" if len(places) > LISTED else ""
        shown = join([how + where for how, where in places[:LISTED]])
        lines.append(Md(f"{code(name)} {shown}{more}"))
    return lines


def reasons(trials: Sequence[Trial]) -> list[Md]:
    """Why a dash stands where a number should: each reason once, with what it concerns."""
    shown = {key for _, key, _ in (*COLUMNS, *MEMORY)}
    keys_of: dict[str, dict[str, None]] = {}
    for trial in trials:
        for step in trial.steps:
            for key, why in step.why.items():
                if key in shown and step.numbers.get(key) is None:
                    keys_of.setdefault(why, {})[key] = None
    return [
        Md(f"{join((code(key) for key in keys), ', ')}: {escape(why)}")
        for why, keys in keys_of.items()
    ]
