"""Each phase of a run at all of its hosts at once, waiting for a host that is busy."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

from runner.apply.levels.boots import edit_and_reboot
from runner.errors import HostBusy, RunnerError
from runner.executor.host import forget
from runner.records.events import EventError, decode
from runner.records.host_events import End
from runner.store.record import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.apply.interface import Options, Reporter
    from runner.apply.state import HostRun
    from runner.planning.layers import Declared
    from runner.records.changes import CellChange
    from runner.store.record import RunFolder

WAIT_S = 5.0
AT_ONCE = 48
"""Hosts that are brought to their state side by side: two hundred would wait for the same cores."""


def observe(
    hosts: Sequence[HostRun], system: Declared, options: Options, reporter: Reporter
) -> dict[str, RunnerError]:
    """Probe every host and plan; give the fault of each host that has one, as all of these do."""
    return _patiently(hosts, lambda host: host.observe(system), options, reporter)


def apply(
    hosts: Sequence[HostRun], system: Declared, options: Options, reporter: Reporter
) -> dict[str, RunnerError]:
    """Converge every host; one that was taken since it was observed is observed anew."""

    def bring(host: HostRun) -> None:
        if host.stale:
            host.observe(system)
        host.apply(system, options)

    return _patiently(hosts, bring, options, reporter)


def reboot(
    hosts: Sequence[HostRun], system: Declared, options: Options, reporter: Reporter
) -> dict[str, RunnerError]:
    """Edit what only a boot puts in force, reboot, and plan again; the others are left alone."""

    def bring(host: HostRun) -> None:
        if host.stale:
            host.observe(system)
        edit_and_reboot(host, system)

    return _patiently([host for host in hosts if host.reboots], bring, options, reporter)


def lay(hosts: Sequence[HostRun], treatment: str, *, twice: bool) -> None:
    """Bring every host to a treatment's state; raise the first fault."""
    faults = _at_all(hosts, lambda host: host.lay(treatment, twice=twice))
    for fault in faults:
        if fault is not None:
            raise fault


def restore(hosts: Sequence[HostRun]) -> dict[str, RunnerError]:
    """Put every host back as the run found it.

    What an earlier `--keep` declared stays: only `runner restore` undoes that.
    """
    return each(hosts, lambda host: host.restore(leave_kept=True))


def each(hosts: Sequence[HostRun], work: Callable[[HostRun], object]) -> dict[str, RunnerError]:
    """Do it at all hosts at once; give the faults by host."""
    faults = _at_all(hosts, work) if hosts else []
    return {
        host.name: fault for host, fault in zip(hosts, faults, strict=True) if fault is not None
    }


def forget_recorded(hosts: Sequence[HostRun], folder: RunFolder) -> None:
    """Remove the run's folder from each host all of whose trials are recorded to their end.

    A host that does not do so keeps it, up to the bounds of its own: that is told, and no fault.
    """
    for host in hosts:
        trials = trials_of(folder, host.name)
        if not trials or not all(is_whole(folder, trial) for trial in trials):
            continue
        try:
            forget(host.agent)
        except RunnerError as error:
            host.reporter.note(f"{host.name}: keeps the files of its trials: {error.message}")


def trials_of(folder: RunFolder, host: str) -> list[str]:
    """Name all trials of a run that a host has run, as the server or for the load."""
    planned = folder.manifest.trials
    own = [trial for trial, plan in planned.items() if plan.host == host]
    return own + [part.id for plan in planned.values() for part in plan.loads if part.host == host]


def is_whole(folder: RunFolder, trial: str) -> bool:
    """Say whether the record of a trial ends as the host's own does."""
    spool = folder.path / EVENTS / f"{trial}.jsonl"
    if not spool.exists():
        return trial in folder.trials()  # compressed: its run was finished once
    with spool.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - (1 << 20)))
        lines = file.read().split(b"\n")
    if len(lines) < 2 or lines[-1]:
        return False
    try:
        return isinstance(decode(lines[-2]), End)
    except EventError:
        return False


def locked(
    record: Callable[[CellChange], None],
) -> Callable[[CellChange], None]:
    """Let several hosts write one record."""
    lock = Lock()

    def one_at_a_time(change: CellChange) -> None:
        with lock:
            record(change)

    return one_at_a_time


def _patiently(
    hosts: Sequence[HostRun],
    work: Callable[[HostRun], object],
    options: Options,
    reporter: Reporter,
) -> dict[str, RunnerError]:
    """Do it at all hosts; with `wait`, again at those that are busy until they are not."""
    left, faults = list(hosts), dict[str, RunnerError]()
    while left:
        fault_of = each(left, work)
        left = [h for h in left if options.wait and isinstance(fault_of.get(h.name), HostBusy)]
        for host in left:
            reporter.note(fault_of.pop(host.name).message)
        faults |= fault_of
        if left:
            # here and not in a thread: Ctrl-C ends it
            time.sleep(WAIT_S)
    return faults


def _at_all(
    hosts: Sequence[HostRun], work: Callable[[HostRun], object]
) -> list[RunnerError | None]:
    """Do it at all hosts at once; give the fault of each. What they tell comes in their order."""

    def one(host: HostRun) -> RunnerError | None:
        try:
            work(host)
        except RunnerError as fault:
            return fault
        return None

    if len(hosts) == 1:
        return [one(hosts[0])]  # in this thread, which Ctrl-C interrupts
    reporters = [_Later(host) for host in hosts]
    with ThreadPoolExecutor(min(len(hosts), AT_ONCE)) as pool:
        faults = list(pool.map(one, hosts))
    for later in reporters:
        later.tell()
    return faults


class _Later:
    """Keeps what one host tells until the others are done: lines of two hosts do not mix."""

    def __init__(self, host: HostRun) -> None:
        self._host, self._reporter = host, host.reporter
        self._calls: list[tuple[str, tuple[object, ...]]] = []
        host.reporter = self

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *words: self._calls.append((name, words))

    def tell(self) -> None:
        """Hand it on."""
        self._host.reporter = self._reporter
        for name, arguments in self._calls:
            getattr(self._reporter, name)(*arguments)
