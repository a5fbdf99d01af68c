"""`runner apply`: one experiment from its spec to its report."""

from __future__ import annotations

import contextlib
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING

from runner.apply import hosts as at_all
from runner.apply.boards.left_out import InUse, ended, together
from runner.apply.checks.foreign import demand
from runner.apply.checks.requirements import fault
from runner.apply.declared import declared_state
from runner.apply.host_run import host_run
from runner.apply.interface import Outcome
from runner.apply.public import ASKED, recorded
from runner.apply.state import HostRun
from runner.errors import Interrupted, LeftRunning, RunnerError, SpecError
from runner.host.mask import Mask
from runner.kinds.discovery import used
from runner.planning.facts import counts_ports, sysctls_of
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
        from runner.apply.checks.preview import preview

        return preview(loaded, hosts, run_id, options, reporter)
    if not _stays(loaded, options):
        threading.Thread(target=_ahead).start()
    if options.resume is not None:
        from runner.apply.attach import reached, reopen

        folder = reopen(loaded, options)
        folder.mask = Mask(secrets)
        with folder:
            record = at_all.locked(folder.append_change)
            runs = [host_run(hosts[n], folder.id, reporter, record, secrets) for n in names]
            # before anything is written: the record of a run that goes on is not ours
            away = reached(runs, folder, same=True)
            return _Run(loaded, runs, options, reporter, folder, conduct, away).go()
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
        away: Mapping[str, RunnerError] | None = None,
    ) -> None:
        self.loaded, self.conduct = loaded, conduct
        self.hosts, self.away = hosts, away or {}
        self.use = InUse(loaded.experiment.hosts, hosts, lambda *one: folder.add("left_out", *one))
        self.options = options
        self.reporter = reporter
        self.folder = folder
        self.system = Declared({})
        for host in hosts:
            host.keep = _stays(loaded, options)

    def go(self) -> Outcome:
        error: BaseException | None = None
        if self.options.began is not None:
            self.options.began(self.folder)
        try:
            self._stages()
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the hosts are put back
            error = raised
        if isinstance(error, LeftRunning):
            # the record stays open, the host as it is: attach completes both
            raise error
        not_back = self._restore(ended=error is not None)
        left = together(list(not_back.values())) if not_back else None
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
            return ended(Outcome(self.folder.id, None, counts), self.folder.manifest.left_out)
        from runner.apply.conclude import conclude

        how: tuple[State, str] = (state, why)
        outcome = conclude(self.folder, self.loaded.experiment, counts, lambda _: how)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(
                "interrupted; the hosts were put back" if left is None else str(left),
                fix=f"what was measured: {outcome.report}",
            ) from error
        if error is not None:
            raise error
        if (
            left is not None
            and len(self.use.boards) == len(self.loaded.experiment.hosts.server) == 1
        ):
            raise left
        return ended(outcome, self.folder.manifest.left_out, not_back)

    def _stages(self) -> None:
        experiment = self.loaded.experiment
        self.system = declared_state(self.loaded, self.options)
        for host in self.hosts:
            host.sysctls, host.ports = sysctls_of(experiment, self.system), counts_ports(experiment)
        done, lost = self._before()
        system, options = self.system, self.options
        self.reporter.phase(f"probe {', '.join(host.name for host in self.use.hosts)}")
        self.use.leave("probed", at_all.observe(self.use.hosts, system, options, self.reporter))
        self.folder.write_facts({host.name: recorded(host.times.before) for host in self.use.hosts})
        # what is lacking may be what a reboot is to bring
        reboots = any(host.reboots for host in self.use.hosts)
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
            self.use.leave(
                "booted anew", at_all.reboot(self.use.hosts, system, options, self.reporter)
            )
            self._require()
        self.use.leave("converged", at_all.apply(self.use.hosts, system, options, self.reporter))
        self._write_facts()
        self._require(before=False)
        runners = [one for one in runners if one.host.name in self.use.boards]
        if runners and trials:
            from runner.apply.boards.revive import Reviver
            from runner.apply.schedule import run_all

            self.reporter.phase("trials")
            revive = Reviver(self.system, self.options, runners[0].stop)
            (self.conduct or run_all)(runners, revive)

    def _write_facts(self) -> None:
        """Record the facts in force, and what differs from them before, by treatment, after."""
        known = [host for host in self.hosts if host.times.before]
        self.folder.write_facts({host.name: recorded(host.times.during) for host in known})
        self.folder.update(environment={host.name: host.times.record() for host in known})

    def _require(self, *, before: bool = True) -> None:
        """Go on without the hosts that lack something; HostError where none is left.

        What the spec itself sets is judged when it is in force, all else `before`.
        """
        spec, hosts = self.loaded.experiment, self.use.hosts
        faults = {h.name: fault(spec, h.name, h.facts, self.system, before=before) for h in hosts}
        self.use.leave("checked", {name: one for name, one in faults.items() if one is not None})

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
        boards = [host for host in self.use.hosts if host.name in self.use.boards]
        builder = Builder(self.options.cache, self.loaded.path.parent)
        stop, lock, laid = threading.Event(), threading.Lock(), layouts.LaidOutPrograms(self.folder)
        runners = []
        others = len(hosts.server) > 1 or any(board.entry.power for board in boards)
        patience = PATIENCE if others else Backoff()
        for board in boards:
            reporter = self.reporter
            if len(hosts.server) > 1:
                reporter = board.reporter = BoardReporter(board.name, self.reporter, lock)
            runners.append(
                TrialRunner(
                    self.loaded, board, self.folder, reporter, builder, done, lost, expected=0,
                    load_hosts=[
                        host if len(hosts.server) == 1 or hosts.paired else apart(host)
                        for host in self.hosts
                        if host.name in hosts.loads_of(board.name)
                    ],
                    twice=self.options.twice, stop=stop, backoff=patience, laid_out=laid,
                    boots=boots.boots_of(board, self.system, self.options, experiment),
                )
            )  # fmt: skip
        return runners

    def _before(self) -> tuple[dict[str, Trial], frozenset[str]]:
        """Complete what an earlier part of this run has begun; nothing where it is the first."""
        if self.options.resume is None:
            return {}, frozenset()
        from runner.apply.attach import complete, finished, mark

        mark(self.folder, self.options)
        experiment = self.loaded.experiment
        self.use.leave("asked", self.away)
        used = {host.name: host for host in self.use.hosts}
        complete(self.folder, used, experiment, self.reporter)
        done, lost = finished(self.folder, experiment)
        self.reporter.note(f"{self.folder.id}: {len(done)} trials are finished already")
        return done, lost

    def _restore(self, *, ended: bool) -> dict[str, RunnerError]:
        """Put every host back; give the faults by host instead of raising them.

        `ended` says that the run did not come to its end.
        """
        if all(host.keep for host in self.hosts):
            for host in self.hosts:
                if ended and not host.touched and not host.host.journal_entries:
                    continue  # nothing was done, and nothing is there to undo
                how = "left as far as it came" if ended else "kept as declared"
                self.reporter.note(f"{host.name}: {how}; undo: runner restore {host.name}")
            return {}
        touched = [host for host in self.hosts if host.touched]
        if touched:
            self.reporter.phase(f"restore {', '.join(host.name for host in touched)}")
        left = at_all.restore(touched)
        if self.folder.manifest.trials:
            at_all.forget_recorded([h for h in touched if h.name not in left], self.folder)
        if any(host.times.before for host in touched):
            self._write_facts()
        for host in touched:
            if host.times.after:
                self.reporter.note(
                    f"{host.name}: not as it was found: {', '.join(host.times.after)}"
                )
        return left
