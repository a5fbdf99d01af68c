"""`runner apply`: one experiment from its spec to its report."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

from runner.analysis.model import Analysis
from runner.apply.analyse import analyse
from runner.apply.attach import complete, failures, finished, mark, refuse_if_followed, reopen
from runner.apply.building import Builder
from runner.apply.interface import Outcome
from runner.apply.public import recorded
from runner.apply.requirements import unmet
from runner.apply.schedule import run_all
from runner.apply.state import HostRun
from runner.apply.trials import TrialRunner
from runner.errors import HostBusy, HostError, Interrupted, LeftRunning, RunnerError, SpecError
from runner.executor.agent import Agent
from runner.plan import declared, sources, with_sources
from runner.report import rebuild
from runner.spec.expand import claims_hash, run_hash
from runner.store.names import new_run_id
from runner.store.provenance import describe
from runner.store.record import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.model import Trial
    from runner.apply.interface import HostEntry, Loaded, Options, Reporter
    from runner.store.record import State

WAIT_S = 5.0
TOOLS = {"ssh": ["ssh", "-V"], "git": ["git", "--version"]}
"""Tools of the controller that a record names with their versions."""


def apply(
    loaded: Loaded,
    hosts: Mapping[str, HostEntry],
    options: Options,
    reporter: Reporter,
) -> Outcome:
    """Run one experiment on its hosts.

    Raises the error that ended it, after everything was put back and the record
    was closed; with `check` nothing is changed and nothing is recorded.
    """
    run_id = new_run_id(time.time())
    experiment = loaded.experiment
    names = experiment.hosts.names()
    if options.check:
        return _check(loaded, hosts, run_id, options, reporter)
    if options.resume is not None:
        folder = reopen(loaded, options)
        with folder:
            runs = [_host_run(hosts[n], folder.id, reporter, folder.append_change) for n in names]
            for host in runs:
                # before anything is written: the record of a run that goes on is not ours
                refuse_if_followed(host, folder.id)
                host.touched = True
            return _Run(loaded, runs, options, reporter, folder).go()
    folder = RunFolder.create(
        options.reports,
        experiment.name,
        run_id=run_id,
        at=time.time(),
        spec_text=loaded.text,
        spec=loaded.expanded,
        manifest={
            **describe(loaded.path, loaded.text, asked=TOOLS),
            "spec_hash": loaded.hash,
            "run_hash": run_hash(loaded.experiment),
            "claims_hash": claims_hash(loaded.experiment),
            "command": list(options.command),
            "hosts": {name: hosts[name].transport.name for name in names},
        },
    )
    with folder:
        runs = [_host_run(hosts[name], run_id, reporter, folder.append_change) for name in names]
        return _Run(loaded, runs, options, reporter, folder).go()


def _host_run(entry: HostEntry, run_id: str, reporter: Reporter, record: Any) -> HostRun:
    agent = Agent(entry.transport, run_id=run_id, state_dir=entry.state_dir, become=entry.become)
    controller = f"{socket.gethostname()}:{os.getpid()}"
    return HostRun(entry, agent, controller, reporter, record)


def _check(
    loaded: Loaded,
    hosts: Mapping[str, HostEntry],
    run_id: str,
    options: Options,
    reporter: Reporter,
) -> Outcome:
    runs = [
        _host_run(hosts[name], run_id, reporter, lambda _: None)
        for name in loaded.experiment.hosts.names()
    ]
    system = declared_state(loaded, options)
    for host in runs:
        reporter.phase(f"check {host.name}")
        host.observe(system)
        host.preview()
    problems = unmet(loaded.experiment, {host.name: host.facts for host in runs})
    for problem in problems:
        reporter.note(f"requirement not met: {problem}")
    return Outcome(run_id, None, {host.name: host.counts for host in runs})


def declared_state(loaded: Loaded, options: Options) -> Any:
    """Give the declared state with the bytes of the files that it names, narrowed by tags.

    Files are confined to the spec's folder, links included.
    """
    system = {
        kind: payload
        for kind, payload in declared(loaded.experiment.system).items()
        if (not options.tags or kind in options.tags) and kind not in options.skip_tags
    }
    root = loaded.path.parent.resolve()
    contents: dict[str, bytes] = {}
    for name in sources(system):
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            raise SpecError(f"{name} leads out of the spec's folder", fix="keep it beside the spec")
        try:
            contents[name] = file.read_bytes()
        except OSError as error:
            raise SpecError(f"{name}: {error.strerror}", fix="files lie beside the spec") from None
    return with_sources(system, contents) if contents else system


class _Run:
    """One run that changes things: whatever ends it, the hosts are put back."""

    def __init__(
        self,
        loaded: Loaded,
        hosts: list[HostRun],
        options: Options,
        reporter: Reporter,
        folder: RunFolder,
    ) -> None:
        self.loaded = loaded
        self.hosts = hosts
        self.options = options
        self.reporter = reporter
        self.folder = folder
        self.system: Any = None
        for host in hosts:
            host.keep = options.keep and loaded.experiment.workload is None

    def go(self) -> Outcome:
        error: BaseException | None = None
        try:
            self._stages()
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the hosts are put back
            error = raised
        if isinstance(error, LeftRunning):
            # the record stays open, the host as it is: attach completes both
            raise error
        left = self._restore()
        state: State = "done"
        why = ""
        if isinstance(error, KeyboardInterrupt):
            state, why = "interrupted", "Ctrl-C"
        elif error is not None or left is not None:
            state, why = "failed", str(error or left)
        analysis = self._conclude(state, why)
        report = rebuild.write(self.folder, analysis)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(
                "interrupted; the hosts were put back" if left is None else str(left),
                fix=f"what was measured: {report}",
            ) from error
        if error is not None:
            raise error
        if left is not None:
            raise left
        failed = failures(analysis.trials)
        return Outcome(
            self.folder.id,
            report,
            {host.name: host.counts for host in self.hosts},
            analysis.trials,
            analysis.claims,
            failed,
        )

    def _stages(self) -> None:
        experiment = self.loaded.experiment
        self.system = declared_state(self.loaded, self.options)
        done, lost = self._before()
        for host in self.hosts:
            self.reporter.phase(f"probe {host.name}")
            self._observe(host)
        self.folder.write_facts({host.name: recorded(host.facts) for host in self.hosts})
        problems = unmet(experiment, {host.name: host.facts for host in self.hosts})
        if problems:
            raise HostError(
                "requirements not met:\n" + "\n".join(problems),
                fix="choose another host with -H, or change what the message names",
            )
        server, hosts = self.hosts[0], experiment.hosts
        builder = Builder(self.options.cache, self.loaded.path.parent)
        runner = TrialRunner(
            self.loaded, server, self.folder, self.reporter, builder, done, lost, expected=0,
            load_hosts=[] if hosts.same else [h for h in self.hosts if h.name in hosts.load],
        )  # fmt: skip
        if experiment.build is not None:
            # before any change: a compiler error must not cost a converge and a restore
            self.reporter.phase("build")
            runner.build_all()
        for host in self.hosts:
            self.reporter.phase(f"converge {host.name}")
            host.apply(self.system, self.options)
        self.folder.write_facts({host.name: recorded(host.facts) for host in self.hosts})
        # a build that is measured is a trial, though nothing is run
        built = any((m.source or "").startswith("build.") for m in experiment.metrics.values())
        if experiment.workload is not None or built:
            self.reporter.phase("trials")
            run_all(runner)

    def _before(self) -> tuple[dict[str, Trial], frozenset[str]]:
        """Complete what an earlier part of this run has begun; nothing where it is the first."""
        if self.options.resume is None:
            return {}, frozenset()
        mark(self.folder, self.options)
        experiment = self.loaded.experiment
        complete(self.folder, {host.name: host for host in self.hosts}, experiment, self.reporter)
        done, lost = finished(self.folder, experiment)
        self.reporter.note(f"{self.folder.id}: {len(done)} trials are finished already")
        return done, lost

    def _observe(self, host: HostRun) -> None:
        while True:
            try:
                host.observe(self.system)
            except HostBusy as busy:
                if not self.options.wait:
                    raise
                self.reporter.note(busy.message)
                time.sleep(WAIT_S)
            else:
                return

    def _restore(self) -> RunnerError | None:
        """Put every host back; give the first fault instead of raising it."""
        if all(host.keep for host in self.hosts):
            for host in self.hosts:
                self.reporter.note(
                    f"{host.name}: kept as declared; undo: runner restore {host.name}"
                )
            return None
        first: RunnerError | None = None
        for host in self.hosts:
            if not host.touched:
                continue
            self.reporter.phase(f"restore {host.name}")
            try:
                host.restore()
            except RunnerError as error:
                first = first or error
        return first

    def _conclude(self, state: State, why: str) -> Analysis:
        self.folder.update(recap={host.name: vars(host.counts) for host in self.hosts})
        analysis = analyse(self.folder, self.loaded.experiment)
        rebuild.write_analysis(self.folder, analysis)
        self.folder.finish(state, at=time.time(), why=why)
        return analysis
