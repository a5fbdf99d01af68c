"""Load from other hosts: started together, each with its share, while the server's host looks on.

The server's trial says at which time of its own clock the load begins. Every load host
is told that time by its own clock; how far the clocks are apart is measured before.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.compile.program import LoadRequest, load_program
from runner.errors import HostError, RunnerError
from runner.executor.trial import run_trial, stop_trial
from runner.records.manifest import LoadHost
from runner.records.trial_events import Aborted, Failed, LoadAt, WorkloadStarted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runner.apply.state import HostRun
    from runner.compile.program import TrialProgram
    from runner.compile.workload import Binary
    from runner.executor.agent import Agent
    from runner.records.events import AnyEvent
    from runner.records.program import Program
    from runner.spec.experiment import Experiment

ENDS_WITHIN_S = 20.0
"""A generator may end this much later than the server's host has looked on."""


def clock_ahead_s(agent: Agent) -> float:
    """Seconds that a host's clock is ahead of this one's, late by one way over the link."""
    ahead = 0.0
    for event in agent.run({"program": "status"}):
        ahead = event.at - time.time()
    return ahead


@dataclass
class Loading:
    """The load's side of one trial."""

    experiment: Experiment
    trial: str
    server: HostRun
    hosts: Sequence[HostRun]
    events: Path
    connections: int | None = None
    tools: Mapping[str, Binary] = field(default_factory=dict)
    """Load generator by host, where runner has built it."""
    ahead: dict[str, float] = field(default_factory=dict)
    errors: list[RunnerError] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _port: int | None = None
    _over: bool = False

    def prepare(self) -> tuple[LoadHost, ...]:
        """Compare the clocks; give what run.json keeps of every load host."""
        for host in (self.server, *self.hosts):
            self.ahead[host.name] = clock_ahead_s(host.agent)
        return tuple(
            LoadHost(host.name, self.id_of(host), self._compiled(number, 0.0).steps)
            for number, host in enumerate(self.hosts)
        )

    def id_of(self, host: HostRun) -> str:
        """Name of a load host's own trial."""
        return f"{self.trial}.{host.name}"

    def _compiled(self, number: int, at: float) -> TrialProgram:
        host = self.hosts[number]
        return load_program(
            self.experiment,
            host.facts,
            LoadRequest(
                trial=self.id_of(host),
                share=(number, len(self.hosts)),
                server=self.server.entry.load_address,
                port=self._port,
                at=at,
                hold=host.hold,
                connections=self.connections,
                tool=self.tools.get(host.name),
            ),
        )

    def heard(self, event: AnyEvent) -> None:
        """Take an event of the server's trial; its `load_at` starts the load."""
        if isinstance(event, WorkloadStarted):
            self._port = event.port
        if isinstance(event, Aborted | Failed):
            self._over = True
        if not isinstance(event, LoadAt) or self._threads:
            return
        for number, host in enumerate(self.hosts):
            at = event.unix + self.ahead[host.name] - self.ahead[self.server.name]
            host.touched = True
            program = self._compiled(number, at).program
            thread = threading.Thread(target=self._run, args=(host, program), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, host: HostRun, program: Program) -> None:
        spool = self.events / f"{self.id_of(host)}.jsonl"
        try:
            run_trial(host.agent, program, lambda _: None, spool)
        except HostError as error:
            if not spool.exists() or not spool.stat().st_size:
                self.errors.append(error)
        except RunnerError as error:
            self.errors.append(error)

    def finish(self, *, stop: bool = False) -> None:
        """Wait for every load host; end what goes on there without a server."""
        until = time.monotonic() + (0.0 if stop or self._over else ENDS_WITHIN_S)
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        late = any(thread.is_alive() for thread in self._threads)
        for host in self.hosts if late else ():
            try:
                stop_trial(host.agent, self.id_of(host))
            except RunnerError as error:
                self.errors.append(error)
        for thread in self._threads:
            thread.join()
