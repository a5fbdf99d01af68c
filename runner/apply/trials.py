"""Runs the trials of an experiment on one host, in order, with their attempts."""

from __future__ import annotations

import contextlib
import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.analysis.judge import judge_trial
from runner.analysis.model import Trial, planned_of
from runner.apply import hosts as at_all
from runner.apply.building import Builder, binary_of, numbers_of, record_of
from runner.apply.checks import preflight
from runner.apply.interface import StoppedError
from runner.apply.levels.attempt import Attempt, network_cells
from runner.apply.levels.layouts import layouts
from runner.apply.loading import Loading
from runner.compile.program import TrialProgram, TrialRequest, trial_program
from runner.errors import HostError, HostRebooted, LeftRunning, RunnerError
from runner.executor.blobs import put
from runner.executor.reboot import booted
from runner.executor.trial import Backoff, attach_trial, run_trial, stop_trial
from runner.planning.ids import shown, treatment_id
from runner.planning.layers import kernels_of
from runner.planning.replication import boot_of, layout_of, name_of
from runner.records.builds import Built
from runner.records.facts import machine_id
from runner.records.manifest import TRIED, Planned
from runner.spec.sections.varied import OF_LOAD, at_level
from runner.spec.treatments import treatments, with_levels
from runner.store.packing import Packing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.apply.interface import Loaded, Reporter
    from runner.apply.levels.boots import Boots
    from runner.apply.levels.layouts import LaidOutPrograms
    from runner.apply.state import HostRun
    from runner.compile.workload import Binary
    from runner.kinds.resources.interface import Cell
    from runner.planning.replication import Layout
    from runner.records.events import AnyEvent
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder
    from runner.toolchain import Build


@dataclass
class TrialRunner:
    """Runs single trials and keeps their record."""

    loaded: Loaded
    host: HostRun
    folder: RunFolder
    reporter: Reporter
    builder: Builder
    done: dict[str, Trial] = field(default_factory=dict)
    """Finished trials by id, of an earlier part of the run too: they are not run again."""
    lost: frozenset[str] = frozenset()
    """Ids of an earlier part that are used up: begun, and not finished."""
    uploaded: set[tuple[str, str]] = field(default_factory=set)
    """(host, sha256) of what was brought in this run."""
    made: dict[tuple[str, str], Build | None] = field(default_factory=dict)
    """By treatment and layout."""
    builds: dict[str, Built] = field(default_factory=dict)
    expected: int = 0
    load_hosts: Sequence[HostRun] = ()
    """Hosts that the load comes from, where they are others than the server's."""
    twice: bool = False
    """Every treatment's state is brought about a second time, which has to change nothing."""
    laid: str | None = None
    """The state that the hosts are in, where treatments differ in it; None for the base."""
    told: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set where the run ends: no further trial begins on this board."""
    current: str = ""
    """The trial that runs now."""
    backoff: Backoff = field(default_factory=Backoff)
    """How long a lost link is waited for."""
    keeping: str = ""
    """The trial whose workload waits on the host for the next one of its search."""
    boots: Boots | None = None
    """Starts the board anew before its blocks, where that is asked for."""
    laid_out: LaidOutPrograms | None = None
    """Records the layouts, where blocks have a fresh one."""

    def prepare(
        self, levels: Mapping[str, str], layout: Layout | None, *, upload: bool = True
    ) -> tuple[Experiment, Binary | None, dict[str, object]]:
        """Build and upload what a treatment needs; give its experiment, binary and numbers.

        What is built is built once a run, or once for each layout: sources that change while
        it goes on are another run's.
        """
        experiment = with_levels(self.loaded.experiment, levels)
        name = treatment_id(levels)
        key = (name, name_of(layout))
        if key not in self.made:
            self.made[key] = self.builder.build(experiment, self.host.facts, layout)
        build = self.made[key]
        if layout is not None and self.laid_out is not None:
            self.laid_out.add(layout, name, build, experiment)
        if build is None:
            return experiment, None, {}
        if name not in self.builds:
            self.builds[name] = record_of(build)
            self.folder.add("builds", name, self.builds[name])
            how = "cached" if build.cached else f"built in {build.seconds:.1f} s"
            by = f"{build.toolchain} (go: {build.how})" if build.toolchain else build.command
            self.reporter.note(f"{by} → {build.size} bytes, {how}")
        if upload:
            self._bring(self.host, build)
        return experiment, binary_of(build), numbers_of(build)

    def _bring(self, host: HostRun, build: Build) -> None:
        if (host.name, build.sha256) not in self.uploaded:
            put(host.agent, build.path)
            self.uploaded.add((host.name, build.sha256))

    def generators(self, experiment: Experiment) -> dict[str, Binary]:
        """Bring the load generator to the hosts that need it built; by the host's name."""
        binaries: dict[str, Binary] = {}
        for host in self.load_hosts or (self.host,):
            build = self._generator(experiment, host)
            if build is not None:
                self._bring(host, build)
                binaries[host.name] = binary_of(build)
        return binaries

    def _generator(self, experiment: Experiment, host: HostRun) -> Build | None:
        load = experiment.load
        if load is None or load.generator == "none":
            return None
        build = self.builder.generator(load.generator, host.facts)
        if build is not None:
            name = f"{load.generator} ({build.machine})"
            known = self.folder.manifest.generators
            if name not in known:
                self.folder.add("generators", name, record_of(build))
        return build

    def build_all(self) -> None:
        """Build every treatment's program and generator before anything is changed on a host."""
        asked = self.loaded.experiment
        for levels in treatments(asked):
            for layout in layouts(asked, range(1, asked.blocks[0] + 1)):
                experiment, _, _ = self.prepare(levels, layout, upload=False)
            for host in self.load_hosts or (self.host,):
                self._generator(experiment, host)

    def kernels(self, cells: tuple[Mapping[str, str], ...]) -> list[int] | None:
        """Number the kernel command lines of treatments; None where one boot is for all."""
        return kernels_of(self.boots.declared, cells) if self.boots is not None else None

    def preflight(self, experiment: Experiment, cells: Sequence[Cell]) -> None:
        """Say what the host lacks for the load, with the exact fix, before a trial begins."""
        server = (self.host.name, self.host.facts)
        loads = [(host.name, host.facts) for host in self.load_hosts] or [server]
        hosts = self.load_hosts or (self.host,)
        tried = {host.name: host.host.ports for host in hosts if host.host.ports}
        preflight.check(experiment, server, loads, cells, tried)
        for note in preflight.fewer_threads(experiment):
            if note not in self.told:
                self.told.add(note)
                self.reporter.note(note)

    def lay(self, levels: Mapping[str, str]) -> Sequence[Cell]:
        """Bring the hosts to the state of a treatment; give its cells on the server."""
        layer = self.host.layers.get(treatment_id(levels))
        if layer is None:
            return self.host.plan.cells
        if layer.state != self.laid:
            self.laid = None
            hosts = list({h.name: h for h in (self.host, *self.load_hosts)}.values())
            self.reporter.phase(f"converge {', '.join(h.name for h in hosts)} {shown(levels)}")
            at_all.lay(hosts, layer.id, twice=self.twice)
            self.laid = layer.state
        return layer.cells

    def run(
        self, levels: Mapping[str, str], repetition: int, *, level: int | None = None,
        serial: int = 0,
    ) -> Trial:  # fmt: skip
        """Run one trial, again while a guard breaks; all attempts are kept.

        `level` is that of a search.
        """
        layout = layout_of(self.loaded.experiment, repetition)
        experiment, binary, extra = self.prepare(levels, layout)
        layer = self.host.layers.get(treatment_id(levels))
        self.preflight(experiment, layer.cells if layer else self.host.plan.cells)
        connections, named = level, "" if level is None else f"-c{level}-{serial}"
        search = experiment.search
        if level is not None and search is not None and search.goal.variable not in OF_LOAD:
            experiment, extra = at_level(experiment, level), {**extra, TRIED: level}
            connections, named = None, f"-l{level}-{serial}"
        stem = f"{treatment_id(levels)}-r{repetition}{named}-a"
        numbers = (n for n in itertools.count(1) if f"{stem}{n}" not in self.lost)
        for attempt in itertools.islice(numbers, experiment.repeat.attempts):
            trial_id = f"{stem}{attempt}"
            if self.stop.is_set():
                raise StoppedError(f"{self.host.name}: stopped before {trial_id}")
            if trial_id in self.done:
                trial = self.done[trial_id]
            else:
                trial = self._attempt(Attempt(
                    trial=trial_id, experiment=experiment, levels=levels, repetition=repetition,
                    number=attempt, connections=connections, binary=binary, built=extra,
                    layout=layout,
                ))  # fmt: skip
            if trial.outcome == "error":
                self._same_boot(trial_id)
            if trial.outcome != "invalid":
                return trial
        return trial

    def _same_boot(self, trial: str) -> None:
        """HostRebooted where the board was started anew under a trial that failed."""
        before = str(self.host.facts.get("boot_id") or "")
        if before and booted(self.host.agent) != before:
            raise HostRebooted(f"{self.host.name}: was started anew in trial {trial}")

    def _boot(self, attempt: Attempt) -> None:
        """Start the board anew where the block is another boot's."""
        number = boot_of(self.loaded.experiment, attempt.repetition)
        if self.boots is not None and self.boots.enter(number, attempt.levels):
            self.laid = None
            for host in (self.host, *self.load_hosts):
                self.uploaded -= {one for one in self.uploaded if one[0] == host.name}
            build = self.made.get((treatment_id(attempt.levels), name_of(attempt.layout)))
            if build is not None:
                self._bring(self.host, build)

    def _attempt(self, attempt: Attempt) -> Trial:
        self._boot(attempt)
        tools = self.generators(attempt.experiment)
        compiled = self._compiled(attempt, tools.get(self.host.name))
        loading = Loading(
            attempt.experiment, attempt.trial, self.host, self.load_hosts,
            self.folder.path / "events", attempt.connections, tools,
        )  # fmt: skip
        self.folder.add("trials", attempt.trial, self._planned(attempt, compiled, loading))
        self.host.touched = True
        # another attempt is of the same planned trial: never 6 of 3
        planned = {planned_of(name) for name in (*self.done, attempt.trial)}
        self.reporter.trial_started(
            attempt.trial, attempt.levels, len(planned), self.expected, compiled.duration_s
        )
        ahead = self._follow(attempt.trial, compiled, loading)
        for error in loading.errors:
            self.reporter.note(str(error))
        self.folder.pack(attempt.trial, ahead)
        trial = judge_trial(self.folder, self.loaded.experiment, attempt.trial)
        self.done[attempt.trial] = trial
        self.reporter.trial_ended(trial)
        return trial

    def _compiled(self, attempt: Attempt, tool: Binary | None) -> TrialProgram:
        """Lay the treatment's state, and compile the trial's program."""
        cells = self.lay(attempt.levels)
        return trial_program(
            attempt.experiment,
            self.host.facts,
            TrialRequest(
                trial=attempt.trial,
                binary=attempt.binary,
                tool=tool,
                network_cells=network_cells(attempt.experiment, cells),
                declared=(*self.host.plan.packages, *cells),
                hold=self.host.hold,
                connections=attempt.connections,
                run=self.folder.id,
                settle=bool(self.done),
                remote=bool(self.load_hosts),
                after=self.keeping,
                padding=attempt.padding,
            ),
        )

    def _planned(self, attempt: Attempt, compiled: TrialProgram, loading: Loading) -> Planned:
        """Give what run.json keeps of a trial, before it begins."""
        return Planned(
            host=self.host.name,
            treatment=dict(attempt.levels),
            repetition=attempt.repetition,
            attempt=attempt.number,
            connections=attempt.connections,
            boot=str(self.host.facts.get("boot_id") or ""),
            boot_of_block=str(boot_of(self.loaded.experiment, attempt.repetition) or ""),
            build=name_of(attempt.layout),
            machine=machine_id(self.host.facts),
            session=str(len(self.folder.manifest.resumed) + 1),
            steps=compiled.steps,
            loads=loading.prepare() if self.load_hosts else (),
            extra={k: v for k, v in attempt.built.items() if isinstance(v, int | float | str)},
        )

    def _follow(self, trial_id: str, compiled: TrialProgram, loading: Loading) -> Packing:
        """Send the program and record its events until it has ended, or is left to go on."""
        spool = self.folder.path / "events" / f"{trial_id}.jsonl"
        ahead = Packing(spool)
        # packing would disturb what is measured here
        remote = not any(host.entry.local for host in (self.host, *self.load_hosts))

        def heard(event: AnyEvent) -> None:
            loading.heard(event)
            self.reporter.event(trial_id, event)
            if remote:
                ahead.heard(event)

        self.keeping = trial_id if compiled.keeps else ""
        self.current = trial_id
        try:
            run_trial(self.host.agent, compiled.program, heard, spool, backoff=self.backoff)
            loading.finish()
        except HostError:
            loading.finish(stop=True)
            # what a begun trial's end says is in its record: that is an outcome, not a fault
            if not spool.exists() or not spool.stat().st_size:
                raise
        except KeyboardInterrupt:
            self.reporter.note("stopping the trial; Ctrl-C again leaves it running")
            try:
                loading.finish(stop=True)
                with contextlib.suppress(RunnerError):
                    stop_trial(self.host.agent, trial_id)
                    # the rest of its record, its end included
                    attach_trial(self.host.agent, trial_id, lambda _: None, spool)
            except KeyboardInterrupt:
                self.keeping = ""  # it goes on, and so does its workload
                raise LeftRunning(
                    f"trial {trial_id} goes on on {self.host.name}",
                    fix=f"follow it and put the host back: runner attach {self.folder.id}",
                ) from None
            raise
        self.current = ""
        return ahead

    def release(self) -> None:
        """End the workload that a search has kept; nothing to do where none is kept."""
        kept, self.keeping = self.keeping, ""
        if kept:
            # where the host is away, the workload ends by itself a little later
            with contextlib.suppress(HostError):
                stop_trial(self.host.agent, kept)
