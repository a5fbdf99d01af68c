"""Boards that a run goes on without: each with its reason, in the record and at the run's end.

What befalls one host (no link, no python3, a full disk, a hold of another run, a value that
its kernel refuses) is that host's: as with Ansible, the others go on. A run ends by it only
where no board is left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.errors import HostBusy, HostError, HostUnreachable, RunnerError
from runner.records.manifest import LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.apply.interface import Outcome
    from runner.apply.state import HostRun
    from runner.spec.experiment import Hosts

    Add = Callable[[str, LeftOut], None]

OF_ONE_HOST = (HostUnreachable, HostBusy, HostError)
"""Faults that say nothing of the other hosts."""


class InUse:
    """The hosts of a run that it still uses; `add` records one that is left out."""

    def __init__(self, spec: Hosts, hosts: Sequence[HostRun], add: Add) -> None:
        self._spec, self._hosts, self._add = spec, hosts, add
        self._faults: dict[str, RunnerError] = {}

    @property
    def boards(self) -> list[str]:
        """Boards that are in use: neither they nor a host of their load has failed."""
        return [name for name in self._spec.server if not self._at_fault(name)]

    @property
    def hosts(self) -> list[HostRun]:
        """Boards in use, and the hosts of their load."""
        names = {one for name in self.boards for one in self._of(name)}
        return [host for host in self._hosts if host.name in names]

    def leave(self, when: str, faults: Mapping[str, RunnerError]) -> None:
        """Go on without the hosts that have failed; raise where that cannot be, or none is left.

        A host of the load takes with it every board that it serves.
        """
        before = self.boards
        for fault in faults.values():
            if not isinstance(fault, OF_ONE_HOST):
                raise fault
        self._faults.update(faults)
        if not self.boards:
            raise together(list(faults.values()))
        runs = {host.name: host for host in self._hosts}
        for name in before:
            for culprit in self._at_fault(name)[:1]:
                leave(runs[name], when, self._faults[culprit], self._add, culprit)

    def _of(self, board: str) -> tuple[str, ...]:
        return (board, *self._spec.loads_of(board))

    def _at_fault(self, board: str) -> list[str]:
        return [name for name in self._of(board) if name in self._faults]


def leave(host: HostRun, when: str, fault: RunnerError, add: Add, culprit: str = "") -> None:
    """Record and tell that a run goes on without a board, for what befell it or its load's host."""
    if isinstance(fault, HostUnreachable):
        host.counts.unreachable += 1
    else:
        host.counts.failed = max(1, host.counts.failed)
    why = fault.message.removeprefix(f"{culprit or host.name}: ")
    if culprit not in {"", host.name}:
        why = f"its load host {culprit}: {why}"
    add(host.name, LeftOut(when, why, fault.exit_code))
    host.reporter.note(f"{host.name} is left out, {when}: {why}")
    if fault.fix:
        host.reporter.note(f"   {fault.fix}")


def together(faults: Sequence[RunnerError]) -> RunnerError:
    """Give the faults of several hosts as one: unreachable where one is, a heading said once."""
    if len(faults) == 1:
        return faults[0]
    worst = next((one for one in faults if isinstance(one, HostUnreachable)), faults[0])
    messages = list(dict.fromkeys(one.message for one in faults))
    heads = {message.partition("\n")[0] for message in messages}
    head = heads.pop() if len(heads) == 1 else ""
    if head.endswith(":"):
        messages = [head, *(message.partition("\n")[2] for message in messages)]
    fixes = dict.fromkeys(one.fix for one in faults if one.fix)
    return type(worst)("\n".join(messages), fix="; ".join(fixes))


def ended(
    outcome: Outcome, left_out: Mapping[str, LeftOut], left: Mapping[str, RunnerError] | None = None
) -> Outcome:
    """Give the outcome of a run with what was left out of it; `left` are hosts not put back.

    The exit code is 4 where a host is unreachable, as Ansible has it; else 2 goes before 5.
    """
    reasons = {name: f"{one.when}: {one.why}" for name, one in left_out.items()}
    lines = [f"left out: {', '.join(left_out)}"] if left_out else []
    lines += [
        f"not put back: {name}: {fault.message.removeprefix(f'{name}: ')}; {fault.fix}"
        for name, fault in (left or {}).items()
    ]
    codes = {one.code for one in left_out.values()} | {
        one.exit_code for one in (left or {}).values()
    }
    codes |= {2} if outcome.failed else set()
    code = (
        HostUnreachable.exit_code if HostUnreachable.exit_code in codes else min(codes, default=0)
    )
    failed = "\n".join([*filter(None, [outcome.failed]), *lines])
    return replace(outcome, failed=failed, left_out=reasons, code=code)
