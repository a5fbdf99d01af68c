"""How trials ended, by kind and treatment, and how often a text metric said what."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING

from runner.report.format import markdown, words
from runner.report.format.markdown import Md, code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Estimate, Trial
    from runner.spec.metrics import Metric

HEALTHY = "healthy"


def table(trials: Sequence[Trial]) -> Md | None:
    """Give a row a treatment and a column a kind; None where every trial was healthy."""
    kinds: dict[str, Counter[str]] = {}
    for trial in trials:
        kinds.setdefault(words.treatment(trial.treatment), Counter())[kind_of(trial)] += 1
    seen = list(dict.fromkeys(kind for counts in kinds.values() for kind in counts))
    if not set(seen) - {HEALTHY}:
        return None
    columns = [HEALTHY, *sorted(kind for kind in seen if kind != HEALTHY)]
    treated = any(kinds)
    rows = [
        [*([name or "–"] if treated else []), *(counts[kind] for kind in columns)]
        for name, counts in kinds.items()
    ]
    head = [*(["treatment"] if treated else []), *columns]
    return markdown.table(head, rows, "l" * treated + "r" * len(columns))


def kind_of(trial: Trial) -> str:  # noqa: PLR0911 - one return for each kind
    """Say how a trial ended, by what is known of the workload's end.

    First that applies: healthy, timeout, out of memory, out of CPU time, crashed (signal), exit
    code, and otherwise wrong, invalid or error as it was judged.
    """
    if trial.outcome == HEALTHY:
        return HEALTHY
    for step in trial.steps:
        numbers = step.numbers
        if numbers.get("workload.timed_out"):
            return "timeout"
        if numbers.get("workload.oom_killed"):
            return "out of memory"
        if numbers.get("workload.out_of_cpu"):
            return "out of CPU time"
        number = numbers.get("workload.signal")
        if isinstance(number, int | float) and not numbers.get("workload.alive"):
            return f"crashed ({_signal(int(number))})"
        code_ = numbers.get("workload.exit_code")
        if code_:
            return f"exit code {code_:g}" if isinstance(code_, int | float) else str(code_)
    return "wrong" if trial.outcome == "unhealthy" else trial.outcome


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def counted(estimates: Sequence[Estimate], metrics: Mapping[str, Metric]) -> Md | None:
    """Give how often a text metric said what: a row a metric, treatment and text."""
    rows: list[list[object]] = []
    for estimate in estimates:
        of = metrics.get(estimate.metric)
        if not estimate.texts or of is None or of.kind != "text":
            continue
        for text, times in Counter(estimate.texts).most_common():
            shown = "–" if text is None else text
            row = [code(estimate.metric), words.treatment(estimate.treatment) or "–", shown]
            rows.append([*row, f"{times} of {len(estimate.texts)}"])
    if not rows:
        return None
    return markdown.table(["metric", "treatment", "text", "repetitions"], rows, "lllr")
