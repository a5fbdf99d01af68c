"""How one number was made of many that a program printed, and what was thrown away of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runner.report.format import markdown
from runner.report.format.markdown import Md, code
from runner.spec.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Trial


def lines(trials: Sequence[Trial], metrics: object) -> list[Md]:
    """Give a line for each metric that is made of many printed numbers."""
    found = []
    for name, written in metrics.items() if isinstance(metrics, Mapping) else ():
        metric = Metric.model_validate(written)
        if not metric.many:
            continue
        taken = _counts(trials, f"{metric.number}[taken]")
        skipped = _counts(trials, f"{metric.number}[skipped]")
        if not taken:
            continue
        of = f"{code(name)}: the {metric.statistic} of {_range(taken)} printed numbers a trial"
        if metric.skip is not None:
            rule = code(f"skip: {metric.skip}")
            of += f"; the first {_range(skipped)} were thrown away ({rule})"
        found.append(Md(f"{of}."))
    return found


def _counts(trials: Sequence[Trial], name: str) -> list[int]:
    numbers = [step.numbers.get(name) for trial in trials for step in trial.steps]
    return [int(number) for number in numbers if isinstance(number, int | float)]


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return markdown.escape(str(low) if low == high else f"{low} to {high}")
