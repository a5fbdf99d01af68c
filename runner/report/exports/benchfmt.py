"""Values of repetitions in the Go benchmark format, for benchstat and its kin.

One line per cell and repetition, numbers in base units; `Unit` lines say which
way is better and which numbers are exact. What names one run alone is a comment: benchstat
puts results whose configuration differs into tables of their own, and compares nothing.
Source: golang.org/design/14313-benchmark-format, golang.org/x/perf/benchfmt.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.analysis.runs.sides import by_repetition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.analysis.model import Analysis, Estimate
    from runner.spec.metrics import Metric


def text(
    name: str,
    analysis: Analysis,
    metrics: Mapping[str, Metric],
    config: Mapping[str, str],
    where: Mapping[str, str] | None = None,
    *,
    about: Mapping[str, str | None],
) -> str:
    """Give the values of one run; `where` chooses treatments and leaves their factors out.

    `about` names the run in comments, `config` is what both sides of a comparison
    share, or are told apart by.
    """
    comments = [f"# {key}: {value}" for key, value in about.items() if value]
    lines = [*comments, *_units(metrics), *block(name, analysis, config, where or {})]
    return "\n".join(lines) + "\n"


def _units(metrics: Mapping[str, Metric]) -> Iterable[str]:
    for name, metric in metrics.items():
        words = []
        if metric.better is not None:
            words.append(f"better={metric.better}")
        if metric.kind == "exact":
            words.append("assume=exact")
        if words:
            yield f"Unit {unit_of(name)} {' '.join(words)}"


def block(
    name: str, analysis: Analysis, config: Mapping[str, str], where: Mapping[str, str]
) -> Iterable[str]:
    """Give configuration lines and results."""
    for key, value in config.items():
        yield f"{key}: {' '.join(value.split())}"
    cells: dict[str, list[Estimate]] = {}
    for item in analysis.estimates:
        if all(item.treatment.get(factor) == level for factor, level in where.items()):
            rest = {k: v for k, v in item.treatment.items() if k not in where}
            if item.step is not None:
                rest["step"] = item.step
            parts = "".join(f"/{_word(k)}={_word(v)}" for k, v in rest.items())
            cells.setdefault(f"Benchmark{_title(name)}{parts}", []).append(item)
    for title, items in cells.items():
        rows: dict[int, list[str]] = {}
        yield from _bounds(title, items)
        for item in items:
            known = by_repetition(analysis, item) or dict(enumerate(item.values, 1))
            for repetition, number in known.items():
                if number is not None:
                    rows.setdefault(repetition, []).append(f"{number!r} {unit_of(item.metric)}")
        for repetition in sorted(rows):
            yield f"{title} 1 {' '.join(rows[repetition])}"


def _bounds(title: str, items: Sequence[Estimate]) -> Iterable[str]:
    """Say in a comment how many values are bounds: the format has no word for one."""
    for item in items:
        hidden = sum(bool(one.censored) for one in item.repetitions)
        if hidden:
            many = f"{hidden} of {len(item.values)}"
            yield f"# {title} {unit_of(item.metric)}: {many} values are only bounds"


def unit_of(metric: str) -> str:
    """Name a metric as a unit; benchfmt has one name for both."""
    return _word(metric)


def _word(text: str) -> str:
    return re.sub(r"[\s/]+", "_", text) or "_"


def _title(name: str) -> str:
    """CamelCase: what follows `Benchmark` must not begin with a small letter."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
