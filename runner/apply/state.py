"""One host's state through a run: probe, plan, packages, converge, restore."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.apply.environment import FactsInTime
from runner.apply.interface import Counts
from runner.apply.putback import Changed, address_of, doubtful, failures, not_back
from runner.errors import HostBusy, HostError
from runner.executor.converge import converge, hold
from runner.executor.probe import HostState, probe
from runner.executor.restore import restore
from runner.kinds.resources.interface import Cell, ReadError
from runner.planning.facts import SYSCTL
from runner.planning.ids import shown
from runner.planning.layers import Declared, Layer, plan_layers, reads, would_lay
from runner.planning.state import Change, StatePlan, unified, would_change
from runner.records.changes import CellChange
from runner.records.host_events import Result
from runner.records.outcome import QUIET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.apply.interface import HostEntry, Options, Reporter
    from runner.executor.agent import Agent
    from runner.records.cells import Cell as WireCell
    from runner.records.cells import Hold
    from runner.records.manifest import Times
    from runner.records.outcome import Phase

    Record = Callable[[CellChange], None]

READ_AFTER = ("converge", "treatment")
"""Phases after which the facts are read: what the measurements are made under."""


@dataclass
class HostRun:
    """A host during one run."""

    entry: HostEntry
    agent: Agent
    controller: str
    reporter: Reporter
    record: Record
    facts: dict[str, Any] = field(default_factory=dict)
    """What was read last with the base in force; as found, before that."""
    times: FactsInTime = field(default_factory=FactsInTime)
    values: dict[str, Any] = field(default_factory=dict)
    host: HostState = field(default_factory=HostState)
    plan: StatePlan = field(default_factory=StatePlan)
    """The base: what all treatments have in common, or are laid over."""
    layers: dict[str, Layer] = field(default_factory=dict)
    """The state of each treatment by its id; empty where none differs."""
    sysctls: Sequence[str] = ()
    """Kernel parameters that are facts beside those that always are."""
    ports: bool = False
    """Whether a load may want most of the ports that a client can have."""
    counts: Counts = field(default_factory=Counts)
    changed: dict[str, Changed] = field(default_factory=dict)
    """What this run has changed, with what was there before; by the cell's id."""
    touched: bool = False
    stale: bool = False
    """Another run has held the host since it was observed."""
    keep: bool = False
    """The declared state stays: nobody holds the host afterwards."""

    @property
    def name(self) -> str:
        """What the inventory calls it."""
        return self.entry.name

    def remember(
        self, during: Mapping[str, Any] | None, environments: Mapping[str, Times] | None
    ) -> None:
        """Take the facts that an earlier part of the run has recorded: what it found counts."""
        kept = (environments or {}).get(self.name)
        self.times = FactsInTime.of_record(during or {}, kept)
        self.sysctls = [
            name.removeprefix(SYSCTL) for name in self.times.before if name.startswith(SYSCTL)
        ]

    @property
    def hold(self) -> Hold:
        """Who holds the host, for the agent."""
        own = hold(self.controller, None if self.keep else self.entry.lease_s)
        # on this machine the host sees for itself whether the controller is alive
        pid = os.getpid() if self.entry.local else None
        return {**own, "pid": pid, "kept": self.keep, "job": self.agent.job}

    def observe(self, declared: Declared) -> None:
        """Probe everything that the declared state needs, in one round trip, and plan."""
        seen = probe(self.agent, reads(declared), sysctls=self.sysctls, ports=self.ports)
        self.facts, self.host = seen.facts, seen.host
        self.facts.setdefault("host.root", seen.host.root)
        self.times.found(self.facts)
        self.values = {
            key: ReadError(read.error) if read.error else read.value
            for key, read in seen.values.items()
        }
        busy = self.host.busy
        if busy and busy.run != self.agent.run_id:
            since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(busy.since))
            # of another user or state folder: this one's restore would find nothing to undo
            there = f" --state-dir {busy.state} (as uid {busy.uid} there)" if busy.state else ""
            raise HostBusy(
                f"host busy: run {busy.run} on {self.name}, since {since}",
                fix="wait with --wait; if its controller is gone: "
                f"runner restore {self.name}{there}",
            )
        self.plan_all(declared)
        self.stale = False

    def plan_all(self, declared: Declared) -> None:
        """Plan the base and every treatment's state from what was observed."""
        self.plan, self.layers = plan_layers(declared, self.facts, self.values)

    @property
    def reboots(self) -> list[Cell]:
        """What is planned and in force only after a reboot, which is allowed."""
        return [cell for cell in self.plan.cells if cell.reboot]

    def preview(self) -> list[str]:
        """Tell what would change; give the ids that would. HostError for what would be refused."""
        changes = self.changes()
        if self.reboots:
            changes += [
                Change(kind, "unknown", why=f"depends on {self.reboots[0].id}: {refusal.why}")
                for kind, refusal in self.plan.refused.items()
            ]
        for change in changes:
            self.reporter.change(self.name, change)
            self.counts.add(change.outcome)
        if self.reboots:
            self.reporter.note(f"{self.name}: would be rebooted for {self.reboots[0].path}")
        self._skipped()
        if not self.reboots:
            self.plan.check(root=self.host.root)
        return [change.id for change in changes if change.outcome == "would change"]

    def changes(self) -> list[Change]:
        """Say what would change: first for all treatments, then what each lays over that."""
        changes = would_change(self.plan, self.values)
        states: set[str] = set()
        for layer in self.layers.values():
            if layer.state not in states:
                states.add(layer.state)
                changes += would_lay(layer, self.plan, self.values)
        return changes

    def _skipped(self) -> None:
        for kind, why in self.plan.skipped.items():
            self.counts.add("skipped")
            self.reporter.note(f"{self.name}: {kind} skipped ({why})")
            self.record(CellChange(host=self.name, id=kind, outcome="skipped", why=why))

    def apply(self, declared: Declared, options: Options) -> None:
        """Install packages, converge, run actions; HostError when a resource failed."""
        self.reporter.phase(f"converge {self.name}")
        self.plan.check(root=self.host.root)
        if self.plan.unknown:
            raise HostError(
                "\n".join(
                    f"{self.name}: {kind} cannot be planned: depends on {what}"
                    for kind, what in self.plan.unknown.items()
                ),
                fix="mend what it depends on, or leave the kind out",
            )
        self._skipped()
        if not self._as_wanted(self.plan.packages):
            # packages are a phase of their own: apt is slow, and tools are facts afterwards
            done = self.bring(self.plan.packages, "packages")
            if any(result.changed for result in done):
                self.observe(declared)
        if self.keep and self._as_wanted(self.plan.cells):
            # nobody needs the host held, so the probe's look was all there is to do
            for cell in self.plan.cells:
                self._tell(
                    "converge",
                    Result(cell.id, "ok", self.values.get(cell.id), self.values.get(cell.id)),
                )
        else:
            # also with nothing to apply: it takes the host for this run, before the first trial
            self.bring(self.plan.cells, "converge")
            if self.times.last is not None:
                self.facts = {**self.facts, **self.times.last}
                self.times.converged(self.facts)
        if self.plan.actions:
            self.bring(self.plan.actions, "actions")
        if options.twice:
            _refuse_changes(self.name, self.bring(self.plan.cells, "again"))

    def lay(self, treatment: str, *, twice: bool) -> None:
        """Bring the host to a treatment's state, in one round trip; HostError where it fails.

        What was set for the treatment before is put back first.
        """
        layer = self.layers[treatment]
        self.bring(list(layer.cells), "treatment", layer)
        if self.times.last is not None:
            self.times.laid(treatment, {**self.facts, **self.times.last})
        if twice:
            again = self.bring(list(layer.cells), "again", layer, over=True)
            _refuse_changes(self.name, again)

    def _as_wanted(self, cells: list[Cell]) -> bool:
        return all(change.outcome == "ok" for change in would_change(cells, self.values))

    def bring(
        self, cells: list[Cell], phase: Phase, layer: Layer | None = None, *, over: bool = False
    ) -> list[Result]:
        """Converge cells in one round trip, and tell of each; HostError where one failed."""
        if not cells and phase not in ("converge", "treatment"):
            return []
        by_id = {cell.id: cell for cell in cells}
        touched, self.touched = self.touched, True
        try:
            heard = self.times.listen()
            results = converge(
                self.agent,
                [cell.to_json() for cell in cells],
                held=self.hold,
                layer="treatment" if layer else "",
                over=over,
                sysctls=self.sysctls if phase in READ_AFTER else None,
                on_event=heard,
            )
        except HostBusy:
            # somebody came between probe and converge; nothing was changed
            self.touched, self.stale = touched, True
            raise
        levels = shown(layer.levels) if layer else ""
        for result in results:
            if result.undone:
                self._tell("base", result)
                continue
            cell = by_id.get(result.id)
            diff = ""
            if cell is not None and cell.via == "file" and result.changed:
                diff = unified(cell, result.before)
            if layer is None or result.id in layer.own or result.outcome not in QUIET:
                address = address_of(result.id, None if cell is None else cell.to_json())
                self._tell(phase, result, diff, address, levels)
        failed = [result for result in results if result.failed]
        if failed:
            raise HostError(
                "\n".join(f"{self.name}: {r.id} failed: {r.why}" for r in failed),
                fix="everything that was changed is put back",
            )
        return results

    def _tell(
        self,
        phase: Phase,
        result: Result,
        diff: str = "",
        cell: WireCell | None = None,
        treatment: str = "",
    ) -> None:
        self.counts.add(result.outcome)
        self.reporter.result(self.name, phase, result, diff)
        self.record(CellChange.of(phase, self.name, result, cell, treatment))
        if cell is not None and result.outcome == "changed":
            self.changed.setdefault(
                result.id, Changed(cell, result.before, self.facts.get("boot_id"))
            )

    def restore(
        self, *, force: bool = False, gone: str | None = None, leave_kept: bool = False
    ) -> list[Result]:
        """Put everything back from the host's own journal; HostError when something is left."""
        results = restore(
            self.agent,
            force=force,
            gone=gone,
            leave_kept=leave_kept,
            sysctls=self.sysctls if self.times.before else None,
            on_event=self.times.listen(),
        )
        if self.times.last is not None:
            self.times.restored(self.times.last)
        for result in results:
            self._tell("restore", result)
            if result.id.startswith("kernel_cmdline:") and result.outcome == "restored":
                path = result.id.partition(":")[2]
                self.reporter.note(
                    f"{self.name}: {path} is as it was; the running kernel keeps its words "
                    "until the next reboot"
                )
        left = failures(self.changed, results)
        fix = f"look at it, then: runner restore {self.name} --force"
        lost = not_back(self.agent, doubtful(self.changed.values(), results))
        if lost:
            fix = "write back by hand what the message names" + (f"; {fix}" if left else "")
        if left or lost:
            raise HostError("\n".join(f"{self.name}: {one}" for one in (*left, *lost)), fix=fix)
        self.changed.clear()
        return results


def _refuse_changes(host: str, again: list[Result]) -> None:
    changed = [result.id for result in again if result.changed]
    if changed:
        raise HostError(
            f"{host}: not idempotent: {', '.join(changed)} changed twice",
            fix="the kernel does not keep what was asked; report this kind",
        )
