"""Moments of a step: when the workload was ready, how it ended, where the first OOM kill was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from runner.records.trial_events import Aborted, Prepared, Ready, WorkloadExited, WorkloadStarted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.trial.frames import Frame, Reading
    from runner.kinds.sources.interface import Field, Number

OOM: Final = "cgroup.first_oom"
USED: Final = (
    "wall", "user_cpu", "system_cpu", "max_rss", "minor_faults", "major_faults",
    "voluntary_switches", "involuntary_switches",
)  # fmt: skip
_FAULTS: Final = ("workload.minor_faults", "workload.major_faults")
_SWITCHES: Final = ("workload.voluntary_switches", "workload.involuntary_switches")
ESTABLISHED: Final = "net.established"


def workload(reading: Reading, numbers: dict[str, Number], why: dict[str, str]) -> None:
    """Add `workload.ready`, `.ready_after` (s), `.exit_code` and `.signal` of the trial."""
    ready, ended = reading.last(Ready), reading.last(WorkloadExited)
    started = reading.last(WorkloadStarted)
    kept = started.kept_from if started else None
    numbers["workload.ready"] = int(ready is not None)
    numbers["workload.ready_after"] = ready.after_s if ready and not kept else None
    if kept:
        why["workload.ready_after"] = f"the workload was kept: it started in trial {kept} or before"
    elif ready is None:
        why["workload.ready_after"] = "the workload was never waited for, or never ready"
    numbers["workload.exit_code"] = ended.code if ended else None
    numbers["workload.signal"] = ended.signal if ended else None
    numbers["workload.oom_killed"] = int(ended.oom_killed) if ended else None
    cut = reading.last(Aborted)
    numbers["workload.timed_out"] = int(cut is not None and cut.timed_out)
    numbers["workload.out_of_cpu"] = int(ended.out_of_cpu) if ended else None
    if ended is None:
        for key in ("workload.oom_killed", "workload.out_of_cpu"):
            why[key] = "its end is not in the record"
    elif cut is not None and cut.limit_s is not None:
        # how it ends when it is asked to says nothing of how it would have ended
        for key in ("workload.exit_code", "workload.signal"):
            numbers[key], why[key] = None, stopped(cut.limit_s)
        return
    for key, how in (("workload.exit_code", "a signal"), ("workload.signal", "its own exit")):
        if ended is None:
            why[key] = "its end is not in the record"
        elif numbers[key] is None:
            why[key] = f"the workload ended by {how}"


def limit(reading: Reading) -> float | None:
    """Give the time (s) that a program ran out of where that is its result, else None."""
    cut = reading.last(Aborted)
    return None if cut is None else cut.limit_s


def stopped(limit_s: float) -> str:
    """Say that a program was stopped at its limit."""
    return f"stopped at its limit of {limit_s:g} s"


def prepared(reading: Reading, numbers: dict[str, Number], why: dict[str, str]) -> None:
    """Add what preparing took in the trial: `prepare.wall` and `prepare.cpu` of commands (s)."""
    done = reading.every(Prepared)
    if not done:
        for name in ("prepare.wall", "prepare.cpu"):
            numbers[name], why[name] = None, "nothing was prepared"
        return
    numbers["prepare.wall"] = sum(event.wall_s for event in done)
    numbers["prepare.cpu"] = sum(event.cpu_s or 0.0 for event in done)


def used(reading: Reading, numbers: dict[str, Number], why: dict[str, str]) -> None:
    """Add what the workload took from exec to its end: time, CPU time, memory, faults, switches.

    By wait4(2): of the program and of all children that it waited for.
    """
    ended = reading.last(WorkloadExited)
    for name in USED:
        numbers[f"workload.{name}"] = None
    if ended is None or ended.wall_s is None:
        said = "its end is not in the record" if ended is None else "an older agent did not say it"
        why.update(dict.fromkeys((f"workload.{name}" for name in USED), said))
        return
    started = reading.last(WorkloadStarted)
    if started is not None and started.kept_from:
        said = "the workload was kept: it began in an earlier trial"
        why.update(dict.fromkeys((f"workload.{name}" for name in USED), said))
        return
    most = limit(reading)
    # how long it took to end once it was asked to is not its own time
    numbers["workload.wall"] = ended.wall_s if most is None else most
    numbers["workload.user_cpu"], numbers["workload.system_cpu"] = ended.user_s, ended.system_s
    numbers |= dict(zip(_FAULTS, ended.faults, strict=False))
    numbers |= dict(zip(_SWITCHES, ended.switches, strict=False))
    floor, peak = ended.floor_bytes or 0, ended.max_rss_bytes or 0
    if peak > floor:
        numbers["workload.max_rss"] = peak
    else:
        why["workload.max_rss"] = (
            f"at most {floor / 2**20:.1f} MiB: smaller than the agent was before it, which the "
            "kernel counts in; `procfs.rss` or `cgroup.peak` tell it"
        )


def first_oom(
    frame: Frame,
    fields: Mapping[str, Field],
    span_s: tuple[float, float],
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Add the time of the first OOM kill (s into the step), and every gauge at that sample.

    `cgroup.first_oom@load.established` is how many connections there were: of the last
    sample before the kill, since the kill closes them.
    """
    numbers[OOM] = None
    kills = fields.get("cgroup.oom_kills")
    column = frame.columns.get(kills.column) if kills else None
    known = np.flatnonzero(~np.isnan(column)) if column is not None else np.empty(0, dtype=int)
    if column is None or not len(known):
        why[OOM] = why.get("cgroup.oom_kills", "OOM kills of the group were not sampled")
        return
    risen = known[column[known] > column[known[0]]]
    if len(risen):
        at, when = int(risen[0]), float(frame.t[risen[0]])
    elif numbers.get("cgroup.oom_kills"):
        at, when = len(column), span_s[1]  # seen at the step's end, after its last sample
    else:
        why[OOM] = "0 OOM kills in this step"
        return
    numbers[OOM] = when - span_s[0]
    gauges = {name: field for name, field in fields.items() if field.kind == "gauge"}
    seen = frame.head(at).each(field.column for field in gauges.values())
    last = {column: float(values[-1]) for column, values in seen if len(values)}
    for name, field in gauges.items():
        if field.column in last:
            numbers[f"{OOM}@{name}"] = last[field.column] * field.scale
    if f"{OOM}@{ESTABLISHED}" in numbers:
        numbers[f"{OOM}@load.established"] = numbers[f"{OOM}@{ESTABLISHED}"]
