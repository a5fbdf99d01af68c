"""Going on with a run whose controller is gone: its open trials, its hosts, its record.

`attach` completes what was begun and puts the hosts back; `reopen` lets `apply`
go on where a run stopped. A trial is never run twice under one id: one that is
whole and was judged is kept, any other gets a new attempt.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.analysis.judge import judge_trial
from runner.apply.boards.left_out import ended, together
from runner.apply.conclude import conclude
from runner.apply.host_run import host_run
from runner.apply.hosts import each, forget_recorded, is_whole, restore
from runner.apply.public import recorded
from runner.apply.putback import outstanding
from runner.apply.state import HostRun
from runner.errors import HostBusy, HostError, HostUnreachable, RecordError, SpecError
from runner.executor.host import status
from runner.executor.probe import probe
from runner.executor.trial import attach_trial
from runner.records.facts import other_machine
from runner.records.manifest import Resumed
from runner.records.outcome import MEASURED
from runner.spec.expand import run_hash
from runner.spec.experiment import Experiment
from runner.spec.treatments import treatments
from runner.store.experiment import experiment_of, of_record
from runner.store.record import EVENTS, RunFolder
from runner.store.runs import find, runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis, Trial
    from runner.apply.interface import HostEntry, Loaded, Options, Outcome, Reporter
    from runner.errors import RunnerError
    from runner.records.manifest import State
    from runner.records.outcome import Outcome as TrialOutcome

SET_AT_BOOT = frozenset({"cpu.count", "cpu.possible"})
FINISHED: Final[tuple[TrialOutcome, ...]] = (*MEASURED, "invalid")
"""Outcomes of a trial that ran to its end; `error` is none."""


def unfinished(root: Path, experiment: str | None = None) -> RunFolder:
    """Open the newest run that is still marked as running."""
    for path in reversed(runs(root, experiment)):
        try:
            folder = RunFolder.open(path)
        except RecordError:
            continue
        if folder.state == "running":
            return folder
    raise RecordError(f"no run under {root} is unfinished", fix="name one: a folder or a run-id")


def attach(folder: RunFolder, hosts: Mapping[str, HostEntry], reporter: Reporter) -> Outcome:
    """Follow what still runs to its end, put the hosts back, close the record, report."""
    if folder.state != "running":
        raise RecordError(
            f"run {folder.id} has ended: {folder.state}",
            fix=f"go on with it: runner apply EXP --resume {folder.id}",
        )
    experiment = of_record(folder)
    with folder:
        own = {
            name: host_run(entry, folder.id, reporter, folder.append_change)
            for name, entry in hosts.items()
        }
        runs = list(own.values())
        away = reached(runs, folder)
        for lost in away.values():
            reporter.note(lost.message)
        here = [host for host in runs if host.name not in away]
        complete(folder, {host.name: host for host in here}, experiment, reporter)
        reporter.phase(f"restore {', '.join(host.name for host in here)}")
        left = {**away, **restore(here)}
        forget_recorded([host for host in here if host.name not in left], folder)
        folder.update(environment={host.name: host.times.record() for host in own.values()})
        fault = together(list(left.values())) if left else None
        outcome = conclude(
            folder, experiment, {name: host.counts for name, host in own.items()},
            partial(_ended, folder, experiment, fault),
        )  # fmt: skip
    if fault is not None and len(runs) == 1:
        raise fault
    if folder.manifest.why:
        reporter.note(folder.manifest.why)
    return ended(outcome, folder.manifest.left_out, left)


def reached(
    hosts: Sequence[HostRun], folder: RunFolder, *, same: bool = False
) -> dict[str, RunnerError]:
    """Ask every host whether the run may be gone on with there; give the faults by host.

    Raised where it is that of all, as HostBusy always is: somebody lives who writes the record.
    `same` demands the same machines.
    """

    def ask(host: HostRun) -> None:
        recall(host, folder)
        host.touched = True
        host.remember(folder.facts.get(host.name), folder.manifest.environment)
        refuse_if_followed(host, folder.id)
        if same:
            refuse_elsewhere(host, folder)

    faults = each(hosts, ask)
    for fault in faults.values():
        if not isinstance(fault, HostUnreachable | HostError):
            raise fault
    if len(faults) == len(hosts):
        raise together(list(faults.values()))
    return faults


def recall(host: HostRun, folder: RunFolder) -> None:
    """Tell a host of what the record says was changed there, so that its restore is checked."""
    boot_id = (folder.facts.get(host.name) or {}).get("boot_id")
    host.changed = outstanding(folder.changes, host.name, boot_id)


def refuse_elsewhere(host: HostRun, folder: RunFolder) -> None:
    """Raise HostError where the host is another machine than the one that the run was begun on.

    Another boot of it is the same machine.
    """
    before = folder.facts.get(host.name)
    if not before:
        return  # the run ended before it knew its host
    # a kernel that was booted with fewer CPUs, for the run or before it, has others now
    but = SET_AT_BOOT if of_record(folder).system.kernel_cmdline is not None else frozenset[str]()
    unlike = other_machine(before, recorded(probe(host.agent).facts), but=but)
    if unlike:
        raise HostError(
            f"{host.name} is another machine than run {folder.id} was begun on: "
            + "; ".join(unlike),
            fix="go on with it there, or start a new run here",
        )


def refuse_if_followed(host: HostRun, run: str) -> None:
    """Raise HostBusy where the run's own controller is known to live, or another run is at it."""
    state, _ = status(host.agent)
    held = state.hold
    if held is None or not state.alive:
        return
    if held.run != run:
        raise HostBusy(f"{host.name} is held by run {held.run}", fix="wait for it to end")
    where, _, pid = (held.controller or "").rpartition(":")
    here = where == socket.gethostname() and pid.isdigit()
    if here and int(pid) != os.getpid() and Path(f"/proc/{pid}").exists():
        raise HostBusy(
            f"run {run} is followed by its controller (pid {pid})",
            fix="wait for it to end, or interrupt it",
        )


def complete(
    folder: RunFolder,
    hosts: Mapping[str, HostRun],
    experiment: Experiment,
    reporter: Reporter,
) -> None:
    """Bring the record of every begun trial to its end, as far as the host still has it."""
    for trial, plan in folder.manifest.trials.items():
        spool = folder.path / EVENTS / f"{trial}.jsonl"
        if not spool.exists() and trial in folder.trials():
            continue  # compressed: its run was finished once
        host = hosts.get(plan.host)
        if host is None:
            reporter.note(f"{trial}: {plan.host} is away, and so is what is left of its record")
            continue
        if not is_whole(folder, trial):
            reporter.phase(f"attach {trial}")
        try:
            attach_trial(host.agent, trial, partial(reporter.event, trial), spool)
        except HostError as error:
            # what its end says is an outcome; and a trial that the host has lost is judged as it is
            reporter.note(f"{trial}: {error.message}")
        for part in plan.loads:
            with contextlib.suppress(HostError):
                path = folder.path / EVENTS / f"{part.id}.jsonl"
                attach_trial(hosts[part.host].agent, part.id, lambda _: None, path)
        if spool.exists() and spool.stat().st_size:
            reporter.trial_ended(judge_trial(folder, experiment, trial))
        elif spool.exists():
            spool.unlink()  # never begun: an empty record would say that it was


def finished(folder: RunFolder, experiment: Experiment) -> tuple[dict[str, Trial], frozenset[str]]:
    """Give the trials that need not be run again, and the ids that are used up."""
    done: dict[str, Trial] = {}
    lost = set()
    for trial in folder.manifest.trials:
        try:
            judged = judge_trial(folder, experiment, trial)
        except RecordError:
            lost.add(trial)
            continue
        if judged.outcome in FINISHED:
            done[trial] = judged
        else:
            lost.add(trial)
    return done, frozenset(lost)


def _ended(
    folder: RunFolder, experiment: Experiment, left: RunnerError | None, analysis: Analysis
) -> tuple[State, str]:
    """Say whether the hosts are as they were, and the least that was asked is there."""
    if left is not None:
        return "failed", str(left)
    cells = treatments(experiment)
    wanted = len(cells) * experiment.blocks[0]
    if experiment.search is not None:
        have = len(folder.manifest.search.runs) if folder.manifest.search else 0
    else:
        valid = {
            (tuple(trial.treatment.items()), trial.repetition)
            for trial in analysis.trials
            if trial.outcome in MEASURED
        }
        have = len(valid)
    if have >= wanted:
        return "done", ""
    return "interrupted", (
        f"its controller was gone: {have} of {wanted} repetitions are complete; "
        f"go on: runner apply EXP --resume {folder.id}"
    )


def reopen(loaded: Loaded, options: Options) -> RunFolder:
    """Open the run to go on with; SpecError where what is run has changed since."""
    name = loaded.experiment.name
    if options.resume:
        folder = find(options.reports, options.resume)
    else:
        folder = _stopped(options.reports, name)
    if folder.experiment != name:
        raise SpecError(
            f"run {folder.id} is of {folder.experiment}, not of {name}", fix="name its own spec"
        )
    if folder.state == "done":
        raise RecordError(f"run {folder.id} is done: nothing is left", fix="start a new run")
    recorded = run_hash(experiment_of(folder))
    if recorded != run_hash(loaded.experiment):
        raise SpecError(
            f"what is run has changed since {folder.id} (run hash {recorded[:12]})",
            fix="undo the change, choose the same host, or start a new run",
        )
    return folder


def _stopped(root: Path, name: str) -> RunFolder:
    folders = runs(root, name)
    if not folders:
        raise RecordError(f"there is no run of {name} under {root}", fix="start one")
    return RunFolder.open(folders[-1])


def mark(folder: RunFolder, options: Options) -> None:
    """Mark a run as running again; how it ended before stays in the record."""
    manifest = folder.manifest
    ended = Resumed(manifest.state, manifest.ended_at, manifest.why, time.time())
    folder.update(
        state="running", ended_at=None, why="",
        resumed=(*manifest.resumed, ended),
        # searches are gone through again, their finished trials read from the record
        search=None, left_out={}, command=manifest.command or options.command,
    )  # fmt: skip
