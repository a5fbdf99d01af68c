"""What a program that ran out of its time leaves of a metric: a bound, never nothing.

It was stopped at its `timeout`, or by the kernel at its limit of CPU time. What it had used by
then is the least that it needs: time, CPU time, memory, faults, whatever adds up. What it would
have printed lies beyond all others on the side that is worse (of times the longer one), or could
be anything where nobody said which that is. Left out, the slow would look fast (Helsel,
Statistics for Censored Environmental Data, 2nd ed. (2012), §1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.rows import BEYOND
from runner.kinds.units import counts_up, field_kind, printed_at_end
from runner.spec.dimensions import SECOND, lenient
from runner.spec.sections.printed import is_printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.claims.rows import Row
    from runner.analysis.model import Trial
    from runner.spec.metrics import Metric

LIMITS: Final = {"workload.timed_out": "wall time", "workload.out_of_cpu": "CPU time"}
"""Numbers that say that a program ran out of something, and of what."""
USED: Final = frozenset(
    {"workload.wall", "workload.user_cpu", "workload.system_cpu", "workload.max_rss",
     "workload.minor_faults", "workload.major_faults", "workload.voluntary_switches",
     "workload.involuntary_switches", "energy.joules"}
)  # fmt: skip
"""What a program uses more of the longer it runs, beside the counters that are sampled."""
APART: Final = ("build.", "prepare.")
"""Sources that are not of the program that ran."""
STATES: Final = frozenset(
    {"workload.alive", "workload.dead", "workload.ready", "workload.exit_code", "workload.signal",
     "workload.oom_killed", *LIMITS}
)  # fmt: skip
"""Numbers that stand for a state: no amount."""


def ran_out_of(trial: Trial) -> str:
    """Name what a trial's program ran out of; empty where it did not."""
    for step in trial.steps:
        for number, what in LIMITS.items():
            if step.numbers.get(number):
                return what
    return ""


def limited(metric: Metric, trial: Trial, row: Row) -> Row:
    """Mark the value of a program that ran out of its time as the bound that it is."""
    source = str(metric.source)
    if (
        metric.kind == "text"
        or row.of.censored
        or isinstance(row.number, str)
        or source.startswith(APART)
        or source in STATES
        or not ran_out_of(trial)
    ):
        return row
    if row.known is not None:
        side = _side(metric, source)
        return replace(row, of=replace(row.of, censored=side)) if side else row
    if not printed_at_end(source):
        return row  # its sensor is not there: no time would have brought it
    side = BEYOND.get(metric.better or "", "")
    if not side:
        side = "above" if lenient(metric, {}).powers == SECOND else "unknown"
    return replace(row, of=replace(row.of, censored=side))


def _side(metric: Metric, source: str) -> str:
    """Say which way a number would have gone on; empty where it says only what was seen."""
    if metric.as_ is not None or metric.statistic in ("mean", "median", "first", "last"):
        return ""
    if metric.statistic == "min":
        return "below"
    grows = source in USED or counts_up(source) or field_kind(source) == "gauge"
    return "above" if grows or (is_printed(source) and metric.many) else ""


def counted_out(trials: Sequence[Trial], treatment: Mapping[str, str]) -> str:
    """Say how many of the trials of a treatment ran out of their time; empty where none did."""
    own = [trial for trial in trials if trial.treatment == treatment]
    counts = []
    for what in LIMITS.values():
        late = [trial for trial in own if ran_out_of(trial) == what]
        if late:
            counts.append(f"{len(late)} of {len(own)} ran out of {what}")
    return "; ".join(counts)
