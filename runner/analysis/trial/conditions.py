"""Whether a step was measured under conditions that count: what guards look at.

`load.cpu` (of what the generator's threads could use), `load.errors.local`,
`host.cpu`, `host.steal`, `host.others`, `board.throttled.gained`,
`host.clock_changed`, `host.drift`, `fault.injected`, `fault.skipped`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from runner.analysis.trial.frames import CLOCK_HIGH, CLOCK_LOW
from runner.analysis.trial.lifecycle import first_oom
from runner.records.trial_events import (
    FaultSkipped,
    FaultStarted,
    IdleStarted,
    StateChecked,
    StepEnded,
    StepStarted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.trial.frames import Frame, Reading
    from runner.kinds.sources.interface import Field
    from runner.records.steps import StepPlan
    from runner.records.trial_events import IdleEnded

    Number = float | int | str | None

# a clock that is slewed runs up to 500 ppm fast or slow (adjtimex(2)); more is a step
SLEW: Final = 500e-6
CLOCK_STEP_S: Final = 0.1
# stdin, stdout, stderr, epoll and what a generator opens itself
OWN_FILES: Final = 16
LOCAL: Final = re.compile(
    r"too many open files|cannot assign requested address|address not available"
    r"|no buffer space|cannot allocate memory|unable to create thread",
    re.IGNORECASE,
)
# firmware: bits 0–3 are so now, 16–19 were so since boot
NOW: Final = 0xF
STICKY: Final = 0xF0000
BUSY: Final = ("user", "nice", "system", "irq", "softirq")
ALL: Final = (*BUSY, "idle", "iowait", "steal")
# ticks are a sample of the time that programs used, which is exact
LOST: Final = 1.1
LOST_S: Final = 0.1


def judge_generator(
    plan: StepPlan, started: StepStarted | None, numbers: dict[str, Number], error: str
) -> str:
    """Relate its CPU time to its threads, count its own failures; give why it failed, or "".

    Errors of the generator's own machine are not answers of the server.
    """
    if plan.generator is None or plan.load is None:
        return error
    threads = min(plan.load.threads, plan.load.connections)
    lanes = min(threads, (started.cpus if started else None) or threads)
    cpu = numbers.get("load.cpu")
    if isinstance(cpu, int | float):
        numbers["load.cpu"] = cpu / max(1, lanes)
    local = numbers.get("load.errors.local")
    found = int(local) if isinstance(local, int | float) else 0
    said = ""
    nofile, asked = started.nofile if started else None, plan.load.connections
    if nofile is not None and asked > nofile - OWN_FILES:
        found += asked - (nofile - OWN_FILES)
        said = f"{nofile} open files are too few for {asked} connections"
    own = _never_sent(numbers)
    if own:
        found += own
        said = said or "connects failed, and no SYN was refused or dropped"
    match = LOCAL.search(error)
    if match:
        found, said = found + 1, match[0]
    numbers["load.errors.local"] = found
    if found and not error:
        return f"{found} errors of the generator's own host" + (f": {said}" if said else "")
    return error


def _never_sent(numbers: Mapping[str, Number]) -> int:
    """Count the connects that failed before they reached a server: no port, no memory.

    Where a server refuses a SYN, or drops it until the client gives up, the client's kernel
    counts a failed attempt; a connect that finds no port is not one.
    """
    failed, reached = (
        numbers.get(name) for name in ("load.errors.connect", "net.connect_failures")
    )
    if not isinstance(failed, int | float) or not isinstance(reached, int | float):
        return 0
    return max(0, int(failed) - int(reached))


def add(
    reading: Reading,
    ended: StepEnded | IdleEnded,
    span: tuple[float, float],
    frame: Frame,
    fields: Mapping[str, Field],
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Add what guards look at, for the step that ended with this event."""
    _host(numbers, why)
    _throttled(ended, frame, fields, numbers, why)
    # from the step's begin on, its warm-up included
    _clock(reading, ended, reading.frame.window(*span), numbers, why)
    _drift(reading, ended, numbers, why)
    _faults(reading, span, numbers)
    first_oom(frame, fields, span, numbers, why)
    waiting = (ended.at_end or {}).get("sockets.time_wait")
    numbers["net.time_wait"] = waiting
    if waiting is None:
        why["net.time_wait"] = "not counted at the end of this step"


def _host(numbers: dict[str, Number], why: dict[str, str]) -> None:
    """Shares of the host's CPU time; `others` is what neither workload nor generator used.

    The workload is all of its processes; of a record that knows only the first one, that.
    """
    times = {name: numbers.get(f"host.cpu_{name}") for name in ALL}
    known = {name: float(value) for name, value in times.items() if isinstance(value, int | float)}
    numbers["host.load"] = numbers.get("host.load1")
    total = sum(known.values())
    if len(known) < len(ALL) or total <= 0:
        for name in ("cpu", "steal", "others"):
            numbers[f"host.{name}"] = None
            why[f"host.{name}"] = why.get("host.cpu_user", "the host's CPU time was not recorded")
        return
    busy = sum(known[name] for name in BUSY)
    numbers["host.cpu"], numbers["host.steal"] = busy / total, known["steal"] / total
    whose = "procfs" if numbers.get("tree.user_cpu") is None else "tree"
    ours = [numbers.get(n) for n in (f"{whose}.user_cpu", f"{whose}.system_cpu", "load.cpu_s")]
    own = sum(float(value) for value in ours if isinstance(value, int | float))
    # a kernel that times interrupts (irq is then above 0) leaves them out of its programs'
    # time; any other gives them to whoever was interrupted: kernel/sched/cputime.c
    programs = busy - known["irq"] - known["softirq"] if known["irq"] else busy
    if own > programs * LOST + LOST_S:
        numbers["host.others"] = None
        why["host.others"] = (
            f"workload and load used {own:.1f} s of CPU, the host counted {programs:.1f} s in all: "
            "it loses ticks, as emulated hosts do"
        )
        return
    numbers["host.others"] = max(0.0, programs - own) / total


def _throttled(
    ended: StepEnded | IdleEnded,
    frame: Frame,
    fields: Mapping[str, Field],
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    spec = fields.get("board.throttled")
    if spec is None:
        return
    sampled = frame.values(spec.column)
    # each of its values once, and the first one first
    seen = [int(value) for value in (*sampled[:1], *np.unique(sampled))]
    first, last = ((end or {}).get(spec.column) for end in (ended.at_start, ended.at_end))
    seen = [*([] if first is None else [int(first)]), *seen, *([] if last is None else [int(last)])]
    if not seen:
        numbers["board.throttled.gained"] = None
        why["board.throttled.gained"] = why.get("board.throttled", "not measured")
        return
    every = 0
    for value in seen:
        every |= value
    # what was so before the step is not news of it; what is so now is, however long already
    numbers["board.throttled.gained"] = (every & STICKY & ~seen[0]) | (every & NOW)


def _clock(
    reading: Reading,
    ended: StepEnded | IdleEnded,
    frame: Frame,
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Wall clock against monotonic clock: every event has both."""
    start: StepStarted | IdleStarted | None = (
        reading.of_step(StepStarted, ended.index)
        if isinstance(ended, StepEnded)
        else next(iter(reading.every(IdleStarted)), None)
    )
    if start is None or not (start.at and ended.at) or start.t is None or ended.t is None:
        numbers["host.clock_changed"] = None
        why["host.clock_changed"] = "the record has no two clocks"
        return
    seconds = ended.t - start.t
    step = ended.at - start.at - seconds
    # set and set back between the ends: where no time of writing explains what a sample says
    low = frame.values(CLOCK_LOW) - (start.at - start.t)
    high = frame.values(CLOCK_HIGH) - (start.at - start.t)
    between = np.maximum(low, 0) + np.minimum(high, 0)
    if len(between) and np.abs(between).max() > max(abs(step), CLOCK_STEP_S + SLEW * seconds):
        step = float(between[np.abs(between).argmax()])
    numbers["host.clock_step"] = step
    numbers["host.clock_changed"] = int(abs(step) > CLOCK_STEP_S + SLEW * seconds)


def _drift(
    reading: Reading,
    ended: StepEnded | IdleEnded,
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    index = ended.index if isinstance(ended, StepEnded) else None
    checked = reading.of_step(StateChecked, index)
    if checked is None:
        numbers["host.drift"] = None
        why["host.drift"] = "the applied state was not looked at again"
        return
    numbers["host.drift"] = int(bool(checked.drifted))
    if checked.drifted:
        said = (f"{one.id}: {one.kept!r} is now {one.now!r}" for one in checked.drifted)
        why["host.drift"] = "; ".join(said)


def _faults(reading: Reading, span: tuple[float, float], numbers: dict[str, Number]) -> None:
    for name, kind in (("fault.injected", FaultStarted), ("fault.skipped", FaultSkipped)):
        numbers[name] = sum(span[0] <= (e.t or 0.0) <= span[1] for e in reading.every(kind))


def skipped(reading: Reading) -> list[str]:
    """Say which faults a host could not do, for the report's notes."""
    return [
        f"fault {event.index} ({event.kind_of_fault}) was skipped: {event.why}"
        for event in reading.every(FaultSkipped)
    ]
