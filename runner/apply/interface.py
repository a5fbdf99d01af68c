"""What a run is given, and whom it tells: only the command line talks to the user."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.analysis.model import ClaimResult, Estimate, Trial
    from runner.planning.state import Change
    from runner.records.events import AnyEvent
    from runner.records.host_events import Result
    from runner.spec.experiment import Experiment
    from runner.specfile.inventory.power import Power
    from runner.store.record import RunFolder
    from runner.transports.interface import Transport


class StoppedError(RunnerError):
    """The run was stopped between two trials of one board."""


@dataclass(frozen=True)
class HostEntry:
    """One host of the inventory, with its way in."""

    name: str
    transport: Transport
    become: bool = False
    state_dir: str | None = None
    local: bool = False
    """The controller's own machine."""
    lease_s: float | None = None
    """Dead-man lease; None for no lease (the local machine)."""
    vars: Mapping[str, object] = field(default_factory=dict)
    address: str = "127.0.0.1"
    power: Power | None = None
    """How it is switched off and on."""

    @property
    def load_address(self) -> str:
        """Where other hosts reach it: the variable `load_address`, or as we do."""
        return str(self.vars.get("load_address") or self.address)


@dataclass(frozen=True)
class Options:
    """What the command line asked for beside the spec."""

    reports: Path
    cache: Path
    check: bool = False
    diff: bool = False
    keep: bool = False
    twice: bool = False
    wait: bool = False
    tags: frozenset[str] = frozenset()
    """Only these kinds of resources; empty for all."""
    skip_tags: frozenset[str] = frozenset()
    resume: str | None = None
    run_id: str = ""
    """The id of the run where it was fixed beforehand; empty: a new one."""
    trusted: bool = False
    """The user lets the spec run its own programs on this machine."""
    command: tuple[str, ...] = ()
    """How to repeat the run, for the report."""
    began: Callable[[RunFolder], None] | None = None
    """Is told of the record as soon as there is one."""


@dataclass(frozen=True)
class Loaded:
    """A spec, as written and as read."""

    experiment: Experiment
    text: str
    path: Path
    expanded: Mapping[str, Any]
    hash: str


class Reporter(Protocol):
    """Is told what happens, as it happens."""

    def phase(self, text: str) -> None:
        """A new phase begins."""

    def note(self, text: str) -> None:
        """Something worth knowing that is not a fault."""

    def change(self, host: str, change: Change) -> None:
        """`--check`: what would change."""

    def result(self, host: str, phase: str, result: Result, diff: str) -> None:
        """One resource was applied or restored."""

    def trial_started(
        self, trial: str, levels: Mapping[str, str], number: int, of: int, duration_s: float
    ) -> None:
        """A trial of the treatment `levels` begins."""

    def event(self, trial: str, event: AnyEvent) -> None:
        """One event of a running trial."""

    def trial_ended(self, trial: Trial) -> None:
        """A trial was judged."""


@dataclass
class Counts:
    """Ansible's recap of one host."""

    ok: int = 0
    changed: int = 0
    failed: int = 0
    restored: int = 0
    skipped: int = 0
    drifted: int = 0
    unreachable: int = 0

    def add(self, outcome: str) -> None:
        """Count one result by its outcome."""
        same = {"ok (normalised)": "ok", "would change": "changed", "unknown": "skipped"}
        name = {**same, "would fail": "failed"}.get(outcome, outcome)
        if hasattr(self, name):
            setattr(self, name, getattr(self, name) + 1)


@dataclass
class Outcome:
    """What a run came to."""

    run: str
    report: Path | None
    hosts: dict[str, Counts]
    trials: tuple[Trial, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    """Of the declared metrics, in the order of the spec."""
    failed: str = ""
    """Why the run counts as failed; empty when it does not."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Hosts that the run went on without, and why."""
    code: int = 0
    """Exit code; 0 where nothing failed."""
