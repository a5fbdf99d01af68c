"""A run's numbers for other programs: tables, OpenMetrics. Pure.

Numbers are in base units (seconds, bytes, 1/s); the unit in which the author
shows a metric stands beside them. What was not measured is empty, never 0.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import TYPE_CHECKING, Final

from runner.analysis.runs.sides import by_repetition
from runner.kinds.sources import by_column
from runner.kinds.units import base_unit_of, sampled
from runner.records.quantities import QuantityError, unit_factor
from runner.records.trial_events import Columns, Sample
from runner.records.units import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.analysis.model import Analysis
    from runner.records.events import AnyEvent
    from runner.spec.metrics import Metric

Row = dict[str, str | int | float | None]

BASE: Final = {"bytes": "bytes", "time": "seconds", "ratio": "ratio", "temperature": "celsius",
               "frequency": "hertz"}  # fmt: skip


def values(analysis: Analysis, run: str) -> list[Row]:
    """Give one row per metric, cell and repetition."""
    factors = list(dict.fromkeys(name for item in analysis.estimates for name in item.treatment))
    rows: list[Row] = []
    for item in analysis.estimates:
        known = by_repetition(analysis, item) or dict(enumerate(item.values, 1))
        sides = [one.censored for one in item.repetitions] or [""] * len(known)
        for (repetition, value), side in zip(known.items(), sides, strict=True):
            row: Row = {"run": run, "metric": item.metric}
            row |= {f"factor.{name}": item.treatment.get(name) for name in factors}
            row |= {
                "step": item.step, "repetition": repetition, "value": value,
                "censored": side, "unit": base_name(item.unit), "shown_in": item.unit,
                "why": item.why if value is None else "",
            }  # fmt: skip
            rows.append(row)
    return rows


def steps(analysis: Analysis, run: str) -> list[Row]:
    """Give one row per number of every step of every trial, invalid ones too."""
    return [
        {
            "run": run, "trial": trial.id, "host": trial.host, "repetition": trial.repetition,
            "attempt": trial.attempt, "outcome": step.outcome, "step": step.name,
            "connections": step.connections, "name": name, "value": value,
            "unit": base_unit_of(name), "why": step.why.get(name, ""),
        }
        for trial in analysis.trials
        for step in trial.steps
        for name, value in step.numbers.items()
    ]  # fmt: skip


def samples(
    trial: str, run: str, events: Iterable[AnyEvent], facts: Mapping[str, object]
) -> Iterable[Row]:
    """Give one row per sampled value of a trial: seconds since its start, name, unit, value.

    `facts` are those of its host: a tick and a page are what they are there.
    """
    known = by_column(facts)
    columns: Sequence[str] = ()
    for event in events:
        if isinstance(event, Columns):
            columns = event.names
        elif isinstance(event, Sample):
            for name, value in zip(columns, event.v, strict=False):
                if value is not None:
                    yield {"run": run, "trial": trial, "t_s": event.t,
                           **sampled(name, value, known)}  # fmt: skip


def to_csv(rows: Iterable[Row]) -> str:
    """Write rows as CSV (RFC 4180, with plain newlines); empty is what was not measured."""
    rows = list(rows)
    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return stream.getvalue()


def openmetrics(
    analysis: Analysis, metrics: Mapping[str, Metric], experiment: str, run: str, at: float
) -> str:
    """Write the values as OpenMetrics 1.0: a gauge per metric, a label per factor and step.

    https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md
    """
    lines: list[str] = []
    for name, metric in metrics.items():
        items = [item for item in analysis.estimates if item.metric == name]
        unit = _base_unit(items[0].unit if items else metric.unit or "")
        family = "experiment_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)
        family += f"_{unit}" if unit and not family.endswith(f"_{unit}") else ""
        lines.append(f"# TYPE {family} gauge")
        if unit:
            lines.append(f"# UNIT {family} {unit}")
        lines.append(f"# HELP {family} {_escaped(metric.title or metric.source or name)}")
        for item in items:
            known = by_repetition(analysis, item) or dict(enumerate(item.values, 1))
            for repetition, value in known.items():
                if value is None or not math.isfinite(value):
                    continue
                labels = {"experiment": experiment, "run": run, **item.treatment}
                if item.step is not None:
                    labels["step"] = item.step
                labels["repetition"] = str(repetition)
                labelled = ",".join(f'{_label(k)}="{_escaped(v)}"' for k, v in labels.items())
                lines.append(f"{family}{{{labelled}}} {value!r} {at:.3f}")
    return "\n".join([*lines, "# EOF"]) + "\n"


def _base_unit(unit: str) -> str:
    if not unit:
        return ""
    try:
        return BASE.get(unit_factor(unit)[0], "")
    except QuantityError:
        return ""


def _label(name: str) -> str:
    label = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return f"_{label}" if label[:1].isdigit() else label


def _escaped(text: object) -> str:
    return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
