"""What the pages of the site show, as plain data for their script. Pure.

Texts are what a record says, unescaped: pages put them in by `textContent`. Numbers
come twice: as they are, to sort and draw, and as text in the unit of their author.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from runner.analysis.middle import middle
from runner.records.units import UnitError, read_unit
from runner.report.format import units, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from runner.analysis.model import Analysis, ClaimResult, Estimate, Series, Trial

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

POINTS: Final = 24_000
"""Points of all lines of one page together; about 200 kB."""
FEWEST_POINTS: Final = 40
POWERS: Final = np.array([float(f"1e{power}") for power in range(23)])
SHOWN_FACTS: Final = (
    "board.model", "arch", "kernel.release", "os.pretty_name", "cpu.model", "cpu.count",
    "memory.total_bytes", "cgroup.version", "cpu.governor", "thp", "emulated",
)  # fmt: skip


def claim(judged: ClaimResult) -> dict[str, Json]:
    """One published number with its verdict."""
    return {
        "id": judged.id, "section": judged.section, "quote": judged.quote,
        "published": judged.published, "verdict": judged.verdict, "reason": judged.reason,
        "measured": "" if judged.estimate is None else units.amount(judged.estimate, judged.unit),
        "interval": units.interval(judged.interval, judged.unit) if judged.interval else "",
        "n": judged.n, "required": judged.required,
        "value": number(judged.estimate), "low": bound(judged.interval, 0),
        "high": bound(judged.interval, 1),
        "region": [number(x) for x in judged.region] if judged.region else None,
    }  # fmt: skip


def estimate(one: Estimate) -> dict[str, Json]:
    """One metric in one cell, with the value of every repetition."""
    return {
        "metric": one.metric, "unit": one.unit, "treatment": dict(one.treatment),
        "where": words.treatment(one.treatment), "step": one.step, "n": one.n,
        "value": number(one.median), "low": bound(one.interval, 0),
        "high": bound(one.interval, 1), "level": one.level,
        "shown": "" if (shown := middle(one)) == units.NONE else shown,
        "interval": units.interval(one.interval, one.unit) if one.interval else "",
        "values": [number(x) for x in one.values], "why": one.why,
        "factor": factor(one.unit),
    }  # fmt: skip


def trial(one: Trial) -> dict[str, Json]:
    """One trial as a row: what it was, how it ended, its steps in a few words."""
    return {
        "id": one.id, "host": one.host, "treatment": words.treatment(one.treatment),
        "repetition": one.repetition, "attempt": one.attempt, "outcome": one.outcome,
        "why": one.why, "started": words.when(one.started_at),
        "steps": [
            {"name": step.name, "outcome": step.outcome, "start": number(step.start_s),
             "end": number(step.end_s)}
            for step in one.steps
        ],
    }  # fmt: skip


def series(lines: Sequence[Series]) -> list[Json]:
    """Lines over time, thinned so that all of a page's together stay within POINTS."""
    share = max(FEWEST_POINTS, POINTS // max(1, len(lines)))
    fitting = lines[: POINTS // FEWEST_POINTS]
    return [
        {"trial": line.trial, "name": line.name, "unit": line.unit, "factor": factor(line.unit),
         "t": [number(x, 5) for x in thinned(line.t, share)],
         "v": [number(x, 5) for x in thinned(line.v, share)]}
        for line in fitting
    ]  # fmt: skip


def thinned(values: Sequence[float | None], most: int) -> Sequence[float | None]:
    """Take every k-th value, the first and the last always."""
    return values if len(values) <= most else [values[at] for at in places(len(values), most)]


def places(count: int, most: int) -> list[int]:
    """Give at most about `most` of `count` places, evenly, the first and the last always."""
    if count <= most:
        return list(range(count))
    every = math.ceil((count - 1) / (most - 1))
    chosen = list(range(0, count, every))
    return chosen if chosen[-1] == count - 1 else [*chosen, count - 1]


def number(value: float | None, digits: int = 7) -> float | None:
    """A number that JSON can hold, at so many significant digits."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def numbers(values: NDArray[np.float64], digits: int) -> list[float | None]:
    """The same of a whole column, but for values half-way between two."""
    known = np.isfinite(values)
    size = np.abs(np.where(known & (values != 0), values, 1.0))
    power = np.floor(np.log10(size)).astype(int) - (digits - 1)
    # of powers of ten one only is not 1; up to 10^22 they are exact, and so is the shortest text:
    # other numbers are written one by one
    last = len(POWERS) - 1
    up, down = POWERS[np.clip(power, 0, last)], POWERS[np.clip(-power, 0, last)]
    scaled = (np.rint(np.where(known, values, 0.0) / up * down) / down * up).astype(object)
    scaled[~known] = None
    rounded: list[float | None] = scaled.tolist()
    for at in np.flatnonzero(known & (np.abs(power) > last)):
        rounded[at] = number(float(values[at]), digits)
    return rounded


def bound(interval: Sequence[float | None] | None, at: int) -> float | None:
    """One end of an interval; None where there is none."""
    return None if interval is None else number(interval[at])


def factor(unit: str) -> list[Json]:
    """How values are drawn: by what they are divided, and the unit's name on the axis."""
    if unit == "B":
        return [1048576.0, "MiB"]
    try:
        return [float(read_unit(unit).size), unit]
    except UnitError:  # of an old record
        return [1.0, unit]


def verdicts(claims: Iterable[ClaimResult]) -> dict[str, Json]:
    """Count claims by verdict."""
    return dict(Counter(one.verdict for one in claims))


def facts(by_host: Mapping[str, Mapping[str, object]]) -> list[Json]:
    """Facts of every host, the telling ones first; a value that is absent stays null."""
    rows: list[Json] = []
    for host, own in by_host.items():
        names = [*[n for n in SHOWN_FACTS if n in own], *sorted(set(own) - set(SHOWN_FACTS))]
        rows += [[host, name, _text(name, own[name])] for name in names if name != "absent"]
    return rows


def _text(name: str, value: object) -> str | None:
    return None if value is None else words.fact(name, value)[:300]


def run_page(folder_name: str, experiment: str, title: str, analysis: Analysis) -> dict[str, Json]:
    """Give all that the page of one run draws and lists."""
    return {
        "run": folder_name, "experiment": experiment, "title": title,
        "claims": [claim(one) for one in analysis.claims],
        "estimates": [estimate(one) for one in analysis.estimates],
        "trials": [trial(one) for one in analysis.trials],
        "series": series(analysis.series),
        "notes": list(analysis.notes),
    }  # fmt: skip
