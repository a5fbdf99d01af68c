"""What else happened on the host while it measured: load, other programs, steal, clock by trial."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.report.format import markdown, units
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Trial

KINDS: Final = (
    ("host.load", "load", "", max),
    ("host.others", "CPU of other programs", "%", max),
    ("host.steal", "CPU stolen by the hypervisor", "%", max),
    ("board.frequency.median", "clock", "Hz", min),
)
"""Number of a step, its words, its unit, and which step of a trial is the noisiest."""


@dataclass(frozen=True)
class Measured:
    """One kind of noise: a value for each trial, in the order in which they began."""

    name: str
    words: str
    unit: str
    values: tuple[float | None, ...]
    trials: tuple[str, ...]
    worst: int | None
    """Which trial had most of it; None where none has a value."""
    why: str = ""


def measured(trials: Sequence[Trial]) -> tuple[Measured, ...]:
    """Give every kind of noise that was looked at in any trial."""
    ordered = sorted(trials, key=lambda trial: (trial.started_at, trial.id))
    found = []
    for name, words, unit, noisiest in KINDS:
        values: list[float | None] = []
        why = ""
        for trial in ordered:
            own = [v for s in trial.steps if isinstance(v := s.numbers.get(name), int | float)]
            values.append(float(noisiest(own)) if own else None)
            why = why or next((w for s in trial.steps if (w := s.why.get(name))), "")
        known = [(value, at) for at, value in enumerate(values) if value is not None]
        if known or why:
            found.append(
                Measured(
                    name, words, unit, tuple(values), tuple(t.id for t in ordered),
                    noisiest(known)[1] if known else None, why,
                )
            )  # fmt: skip
    return tuple(found)


def table(trials: Sequence[Trial]) -> Md | None:
    """Give a row for each kind of noise: the middle, the worst trial, and how many have it."""
    found = measured(trials)
    rows = []
    for one in found:
        known = [value for value in one.values if value is not None]
        if one.worst is None:
            rows.append([code(one.name), one.words, units.NONE, units.NONE, escape(one.why, 200)])
            continue
        most = one.values[one.worst]
        rows.append(
            [
                code(one.name),
                one.words,
                _shown(statistics.median(known), one.unit),
                _shown(most, one.unit),
                code(one.trials[one.worst]) if min(known) != max(known) else "alike in all",
            ]
        )
    head = ["number", "noise", "median", "worst", "in"]
    return markdown.table(head, rows, "llrrl") if any(o.worst is not None for o in found) else None


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return units.NONE
    return units.percent(value) if unit == "%" else units.amount(value, unit)
