"""`runner apply`: one experiment from its spec to its report."""

from __future__ import annotations

import contextlib
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING

from runner.apply import hosts as at_all
from runner.apply.checks.foreign import demand
from runner.apply.checks.requirements import lacking, unmet, unmet_as_found
from runner.apply.declared import declared_state
from runner.apply.host_run import amiss, host_run
from runner.apply.interface import Outcome
from runner.apply.public import ASKED, recorded
from runner.apply.state import HostRun
from runner.errors import HostError, Interrupted, LeftRunning, RunnerError, SpecError
from runner.host.mask import Mask
from runner.kinds.discovery import used
from runner.planning.facts import counts_ports, set_by, sysctls_of
from runner.planning.layers import Declared
from runner.records.secrets import values_in
from runner.spec.expand import claims_hash, run_hash
from runner.store.names import new_run_id
from runner.store.provenance import describe
from runner.store.record import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.analysis.model import Trial
    from runner.apply.boards.revive import Reviver
    from runner.apply.interface import HostEntry, Loaded, Options, Reporter
    from runner.apply.trials import TrialRunner
    from runner.records.manifest import State

    Conduct = Callable[[Sequence[TrialRunner], Reviver], None]

# What judges a run is imported while its hosts answer, a fifth of a second of a no-op
# apply; hence the imports inside of functions below.
_JUDGING = "runner.apply.conclude"


def apply(
    loaded: Loaded,
    hosts: Mapping[str, HostEntry],
    options: Options,
    reporter: Reporter,
    conduct: Conduct | None = None,
) -> Outcome:
    """Run one experiment on its hosts; `conduct` decides which trials, in place of the spec.

    Raises the error that ended it, after everything was put back and the record
    was closed; with `check` nothing is changed and nothing is recorded.
    """
    run_id = options.run_id or new_run_id(time.time())
    experiment = loaded.experiment
    if experiment.lint.only:
        raise SpecError(
            f"{loaded.path} is to be read and linted, not to be run: {experiment.lint.only}",
            fix=f"runner lint {loaded.path}",
        )
    names = experiment.hosts.names()
    demand(loaded, trusted=options.trusted or options.check)
    # before any host is touched: one that is not set would end the run in its middle
    secrets = values_in(experiment)
    if options.check:
        return _check(loaded, hosts, run_id, options, reporter)
    if not _stays(loaded, options):
        threading.Thread(target=_ahead).start()
    if options.resume is not None:
        from runner.apply.attach import recall, refuse_elsewhere, refuse_if_followed, reopen

        folder = reopen(loaded, options)
        folder.mask = Mask(secrets)
        with folder:
            record = at_all.locked(folder.append_change)
            runs = [host_run(hosts[n], folder.id, reporter, record, secrets) for n in names]
            for host in runs:
                # before anything is written: the record of a run that goes on is not ours
                refuse_if_followed(host, folder.id)
                refuse_elsewhere(host, folder)
                recall(host, folder)
                host.touched = True
                host.remember(folder.facts.get(host.name), folder.manifest.environment)
            return _Run(loaded, runs, options, reporter, folder, conduct).go()
    folder = RunFolder.create(
        options.reports,
        experiment.name,
        run_id=run_id,
        at=time.time(),
        spec_text=loaded.text,
        spec=loaded.expanded,
        manifest={
            **describe(
                loaded.path,
                loaded.text,
                asked=ASKED,
                outside=used(figure.kind for figure in experiment.report.figures if figure.kind),
            ),
            "spec_hash": loaded.hash,
            "run_hash": run_hash(loaded.experiment),
            "claims_hash": claims_hash(loaded.experiment),
            "command": list(options.command),
            "hosts": {name: hosts[name].transport.name for name in names},
        },
    )
    folder.mask = Mask(secrets)
    with folder:
        record = at_all.locked(folder.append_change)
        runs = [host_run(hosts[n], run_id, reporter, record, secrets) for n in names]
        return _Run(loaded, runs, options, reporter, folder, conduct).go()


def _check(
    loaded: Loaded,
    hosts: Mapping[str, HostEntry],
    run_id: str,
    options: Options,
    reporter: Reporter,
) -> Outcome:
    runs = [
        host_run(hosts[name], run_id, reporter, lambda _: None, values_in(loaded.experiment))
        for name in loaded.experiment.hosts.names()
    ]
    system = declared_state(loaded, options)
    for host in runs:
        host.sysctls = sysctls_of(loaded.experiment, system)
        reporter.phase(f"check {host.name}")
        host.observe(system)
        host.preview()
    facts = {host.name: host.facts for host in runs}
    for problem in unmet_as_found(loaded.experiment, facts):
        reporter.note(f"requirement not met: {problem}")
    for said, fix in lacking(loaded.experiment, facts):
        reporter.note(f"limit out of reach: {said}; {fix}")
    return Outcome(run_id, None, {host.name: host.counts for host in runs}, failed=amiss(runs))


def _stays(loaded: Loaded, options: Options) -> bool:
    """Whether the declared state is left in place: nothing is measured then."""
    return options.keep and loaded.experiment.workload is None


def _ahead() -> None:
    # what fails here is imported once more where it is needed, and said there
    with contextlib.suppress(Exception):
        import_module(_JUDGING)


class _Run:
    """One run that changes things: whatever ends it, the hosts are put back."""

    def __init__(
        self,
        loaded: Loaded,
        hosts: list[HostRun],
        options: Options,
        reporter: Reporter,
        folder: RunFolder,
        conduct: Conduct | None,
    ) -> None:
        self.loaded, self.conduct = loaded, conduct
        self.hosts = hosts
        self.options = options
        self.reporter = reporter
        self.folder = folder
        self.system = Declared({})
        for host in hosts:
            host.keep = _stays(loaded, options)

    def go(self) -> Outcome:
        error: BaseException | None = None
        try:
            self._stages()
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the hosts are put back
            error = raised
        if isinstance(error, LeftRunning):
            # the record stays open, the host as it is: attach completes both
            raise error
        left = self._restore(ended=error is not None)
        state: State = "done"
        why = ""
        if isinstance(error, KeyboardInterrupt):
            state, why = "interrupted", "Ctrl-C"
        elif error is not None or left is not None:
            state, why = "failed", self.folder.mask.text(str(error or left))
        counts = {host.name: host.counts for host in self.hosts}
        if error is None and left is None and _stays(self.loaded, self.options):
            # nothing was measured: what was done is in the record, and `runner report` shows it
            self.folder.update(recap={name: vars(count) for name, count in counts.items()})
            self.folder.finish(state, at=time.time(), why=why)
            return Outcome(self.folder.id, None, counts)
        from runner.apply.conclude import conclude

        ended: tuple[State, str] = (state, why)
        outcome = conclude(self.folder, self.loaded.experiment, counts, lambda _: ended)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(
                "interrupted; the hosts were put back" if left is None else str(left),
                fix=f"what was measured: {outcome.report}",
            ) from error
        if error is not None:
            raise error
        if left is not None:
            raise left
        return outcome

    def _stages(self) -> None:
        experiment = self.loaded.experiment
        self.system = declared_state(self.loaded, self.options)
        for host in self.hosts:
            host.sysctls, host.ports = sysctls_of(experiment, self.system), counts_ports(experiment)
        done, lost = self._before()
        self.reporter.phase(f"probe {', '.join(host.name for host in self.hosts)}")
        at_all.observe(self.hosts, self.system, self.options, self.reporter)
        self.folder.write_facts({host.name: recorded(host.times.before) for host in self.hosts})
        # what is lacking may be what a reboot is to bring
        reboots = any(host.reboots for host in self.hosts)
        if not reboots:
            self._require()
        # a build that is measured is a trial
        built = any((m.source or "").startswith("build.") for m in experiment.metrics.values())
        trials = experiment.workload is not None or built
        runners = self._trial_runners(done, lost) if trials or experiment.build is not None else []
        if runners and experiment.build is not None and self.conduct is None:
            # before any change: a compiler error must not cost a converge and a restore
            self.reporter.phase("build")
            for runner in runners:
                runner.build_all()
        if reboots:
            at_all.reboot(self.hosts, self.system, self.options, self.reporter)
            self._require()
        at_all.apply(self.hosts, self.system, self.options, self.reporter)
        self._write_facts()
        self._require(before=False)
        if runners and trials:
            from runner.apply.boards.revive import Reviver
            from runner.apply.schedule import run_all

            self.reporter.phase("trials")
            revive = Reviver(self.system, self.options, runners[0].stop)
            (self.conduct or run_all)(runners, revive)

    def _write_facts(self) -> None:
        """Record the facts in force, and what differs from them before, by treatment, after."""
        self.folder.write_facts({host.name: recorded(host.times.during) for host in self.hosts})
        self.folder.update(environment={host.name: host.times.record() for host in self.hosts})

    def _require(self, *, before: bool = True) -> None:
        """Raise one HostError with every requirement that is not met.

        What the spec itself sets is judged when it is in force, all else `before`.
        """
        facts = {host.name: host.facts for host in self.hosts}
        problems = unmet(
            self.loaded.experiment, facts, lambda fact: set_by(self.system, fact) is not before
        )
        beyond = lacking(self.loaded.experiment, facts) if before else []
        if beyond and not problems:
            raise HostError(
                "\n".join(said for said, _ in beyond),
                fix="; ".join(dict.fromkeys(fix for _, fix in beyond)),
            )
        if problems:
            raise HostError(
                "requirements not met:\n" + "\n".join(problems),
                fix="choose another host with -H, or change what the message names",
            )

    def _trial_runners(self, done: dict[str, Trial], lost: frozenset[str]) -> list[TrialRunner]:
        """Give one for each board: what is done and what is built they share."""
        from runner.apply.boards.fleet import PATIENCE
        from runner.apply.boards.reporter import BoardReporter
        from runner.apply.building import Builder
        from runner.apply.host_run import apart
        from runner.apply.levels import boots, layouts
        from runner.apply.trials import TrialRunner
        from runner.executor.trial import Backoff

        experiment = self.loaded.experiment
        hosts = experiment.hosts
        boards = [host for host in self.hosts if host.name in hosts.server]
        builder = Builder(self.options.cache, self.loaded.path.parent)
        stop, lock, laid = threading.Event(), threading.Lock(), layouts.LaidOutPrograms(self.folder)
        found = []
        others = len(boards) > 1 or any(board.entry.power for board in boards)
        patience = PATIENCE if others else Backoff()
        for board in boards:
            reporter = self.reporter
            if len(boards) > 1:
                reporter = board.reporter = BoardReporter(board.name, self.reporter, lock)
            found.append(
                TrialRunner(
                    self.loaded, board, self.folder, reporter, builder, done, lost, expected=0,
                    load_hosts=[
                        host if len(boards) == 1 or hosts.paired else apart(host)
                        for host in self.hosts
                        if host.name in hosts.loads_of(board.name)
                    ],
                    twice=self.options.twice, stop=stop, backoff=patience, laid_out=laid,
                    boots=boots.boots_of(board, self.system, self.options, experiment),
                )
            )  # fmt: skip
        return found

    def _before(self) -> tuple[dict[str, Trial], frozenset[str]]:
        """Complete what an earlier part of this run has begun; nothing where it is the first."""
        if self.options.resume is None:
            return {}, frozenset()
        from runner.apply.attach import complete, finished, mark

        mark(self.folder, self.options)
        experiment = self.loaded.experiment
        complete(self.folder, {host.name: host for host in self.hosts}, experiment, self.reporter)
        done, lost = finished(self.folder, experiment)
        self.reporter.note(f"{self.folder.id}: {len(done)} trials are finished already")
        return done, lost

    def _restore(self, *, ended: bool) -> RunnerError | None:
        """Put every host back; give the first fault instead of raising it.

        `ended` says that the run did not come to its end.
        """
        if all(host.keep for host in self.hosts):
            for host in self.hosts:
                if ended and not host.touched and not host.host.journal_entries:
                    continue  # nothing was done, and nothing is there to undo
                how = "left as far as it came" if ended else "kept as declared"
                self.reporter.note(f"{host.name}: {how}; undo: runner restore {host.name}")
            return None
        touched = [host for host in self.hosts if host.touched]
        if touched:
            self.reporter.phase(f"restore {', '.join(host.name for host in touched)}")
        left = at_all.restore(touched)
        if left is None and self.folder.manifest.trials:
            at_all.forget_recorded(touched, self.folder)
        if any(host.times.before for host in touched):
            self._write_facts()
        for host in touched:
            if host.times.after:
                self.reporter.note(
                    f"{host.name}: not as it was found: {', '.join(host.times.after)}"
                )
        return left
