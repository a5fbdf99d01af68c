"""Put the host back from its journal alone; safe to repeat, safe to kill.

Newest change first, and per address the oldest prior value wins. What is there
is compared with the prior value before anything is written, so that running it
twice does nothing. A write that the kernel refuses, or whose effect a later one
has undone, is tried again once all others were made: coupled keys and limits
that bound each other settle that way in whichever order they came.
"""

from __future__ import annotations

import errno

from ..cells import cells
from ..emit import described, hide, shown
from ..errors import reason
from ..state import holds, journal, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence

    from runner.records.cells import Cell
    from runner.records.program import Asked

    from ..emit import Emit

PASSES = 3
# all of them: a journal may be damaged in any way, and a cell must not keep the others from it
_FAULTS = (Exception,)
_UNDONE = ("ok", "restored", "skipped")


class _Undo:
    """All changes of one address."""

    def __init__(self, cell: Cell, changes: List[journal.Change]) -> None:
        self.cell = cell
        self.changes = changes  # oldest first
        self.before: object = None
        self.after: object = None
        self.outcome = ""
        self.why: Optional[str] = None
        self.wrote = False
        self.back = False  # before anything was done

    def add(self, change: journal.Change) -> None:
        """Add a later change; what any of them may have left is to be removed."""
        self.changes.append(change)
        if "parts" in self.cell:
            self.cell["parts"] = [*self.cell["parts"], *(change.cell.get("parts") or [])]

    @property
    def prior(self) -> object:
        return self.changes[0].prior

    def is_back(self, now: object) -> bool:
        """Say whether nothing is left to do; of a write that was cut, the time of a file too."""
        if not cells.same(self.cell, self.prior, now):
            return False
        times = isinstance(now, dict) and not self.changes[-1].sealed
        return not times or _time_of(now) == _time_of(self.prior)

    def ours(self, now: object) -> bool:
        """Say whether a value may be from us: the last thing we saw or wanted."""
        last = self.changes[-1]
        if not last.sealed:
            return True  # cut short, so it may hold anything on the way there
        return last.left_as(now) or last.asked(now)


def _time_of(value: object) -> object:
    return value.get("mtime_ns") if isinstance(value, dict) else None


def run(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    """Carry out a `restore` program; say whether everything is back."""
    force = bool(program.get("force"))
    if not force:
        holds.refuse_if_held(where, str(program["run"]), program.get("gone"))
    left_running = _stop_trials(where, emit)
    with state_folder.locked(where):
        if not force:
            holds.refuse_if_held(where, str(program["run"]), program.get("gone"))
        recorded = journal.read(where.journal)
        # the end of a run leaves what another one declared to stay
        left = recorded.stays - {str(program["run"])} if program.get("leave_kept") else frozenset()
        undos = _undos([change for change in recorded.changes if change.run not in left])
        _need_root(undos)
        _undo(undos, where, force=force)
        for undo in undos:
            _say(undo, emit)
        for line in recorded.damaged:
            emit(
                "result",
                id=f"journal:line {line}",
                outcome="failed",
                before=None,
                after=None,
                why=f"line {line} of {where.journal} is damaged: what it would undo is not known; "
                "the journal is kept",
            )
        done = (
            not left_running
            and not recorded.damaged
            and all(undo.outcome in _UNDONE for undo in undos)
        )
        if done and any(change.run in left for change in recorded.changes):
            undone = [change.n for undo in undos for change in undo.changes]
            if undone:
                journal.done(where.journal, undone)
        elif done:
            journal.retire(where.journal)
        # the run is over either way; what is left is for the next restore
        holds.drop(where)
        _tidy(where, str(program["run"]))
    if program.get("facts"):
        from ..facts import gather

        emit("facts", facts=gather.asked(program))
    return done


def undo_layer(where: state_folder.State, run_id: str, layer: str, emit: Emit) -> bool:
    """Put back what a run has laid over its base, and no more; say whether all is back.

    The caller has the lock and the hold. What somebody has changed since is put back
    too: it is what the run itself declared, for a treatment that is over.
    """
    recorded = journal.read(where.journal)
    undos = _undos([c for c in recorded.changes if c.run == run_id and c.layer == layer])
    if not undos:
        return True
    _need_root(undos)
    _undo(undos, where, force=True)
    for undo in undos:
        _say(undo, emit, undone=True)
    back = [undo for undo in undos if undo.outcome in _UNDONE]
    journal.done(where.journal, [change.n for undo in back for change in undo.changes])
    return len(back) == len(undos)


def _tidy(where: state_folder.State, run: str) -> None:
    from ..trial import identity
    from . import blobs

    blobs.tidy(where)
    blobs.tidy_runs(where, run)
    identity.tidy(where.root)


def _stop_trials(where: state_folder.State, emit: Emit) -> bool:
    """End what still runs: a workload must not see its host change, nor change it back.

    Says whether something could not be ended.
    """
    left = False
    from ..state import pen
    from . import attach, status

    for trial in status.trials(where):
        if trial["running"]:
            attach.stop({"run": trial["run"], "trial": trial["trial"]}, where, emit)
        name = "{run}/{trial}".format(**trial)
        many, why = pen.end_left(where.path("runs", trial["run"], trial["trial"]))
        if many or why:
            # its supervisor was killed, and could not end them itself
            emit("result", id=f"trial:{name}", outcome="failed" if why else "restored",
                 before=f"{many} process(es) of it ran", after=None, why=why or None)  # fmt: skip
            left = left or bool(why)
    return left


def _undos(changes: Sequence[journal.Change]) -> List[_Undo]:
    by_address: Dict[journal.Address, _Undo] = {}
    for change in changes:
        address = journal.address(change.cell)
        if address in by_address:
            by_address[address].add(change)
        else:
            by_address[address] = _Undo(change.cell.copy(), [change])
    # by the first change of each: what a thing stands on was there before it
    return _swaps_by_priority(list(reversed(list(by_address.values()))))


def _swaps_by_priority(undos: List[_Undo]) -> List[_Undo]:
    """Switch swaps on in order of priority: the kernel numbers automatic ones as they come."""

    def rank(undo: _Undo) -> int:
        priority = undo.prior.get("priority", 0) if isinstance(undo.prior, dict) else 0
        return -priority if isinstance(priority, int) else 0

    swaps = iter(sorted((u for u in undos if u.cell["via"] == "swap"), key=rank))
    return [next(swaps) if undo.cell["via"] == "swap" else undo for undo in undos]


def _need_root(undos: Sequence[_Undo]) -> None:
    names = [str(undo.cell["id"]) for undo in undos if cells.needs_write(undo.cell)]
    if names:
        raise state_folder.Refused(
            "need_root", f"only root can put back {', '.join(names)}", "run it as root"
        )


def _undo(undos: Sequence[_Undo], where: state_folder.State, *, force: bool) -> None:
    boot = state_folder.boot_id()
    for undo in undos:
        _look(undo, boot, force=force)
    todo = [undo for undo in undos if not undo.outcome]
    # what is as it was may be disturbed on the way, so its seal goes too
    sealed = [change.n for undo in todo for change in undo.changes if change.sealed]
    if sealed and any(not undo.back for undo in todo):
        journal.unseal(where.journal, sealed)
    for _ in range(PASSES):
        if not any([_pass(undo) for undo in undos]):  # noqa: C419 - all of them, not up to the first
            break
    for undo in undos:
        _judge(undo)


def _look(undo: _Undo, boot: str, *, force: bool) -> None:
    """Decide, before anything is written, what is to be left alone."""
    last = undo.changes[-1]
    try:
        undo.before = undo.after = cells.read(undo.cell)
        cells.leftovers(undo.cell)
        undo.back = undo.is_back(undo.before)
    except _FAULTS as fault:
        undo.why = "cannot be read: " + reason(fault)
    else:
        if undo.back:
            return
        if not force and not undo.ours(undo.before):
            undo.outcome = "drifted"
            kept = described(undo.cell, last.kept)
            undo.why = f"someone changed it since, from {kept}; with force it is put back"
    if last.runtime and last.boot_id != boot:
        undo.outcome, undo.why = "skipped", "rebooted"


def _pass(undo: _Undo) -> bool:
    """Write the prior value where it is not; say whether anything was tried."""
    if undo.outcome:
        return False
    try:
        if undo.is_back(cells.read(undo.cell)):
            return False
        undo.wrote = True
        undo.why = None
        cells.put_back(undo.cell, undo.prior)
    except _FAULTS as fault:
        undo.why = "cannot be written: " + reason(fault)
        folder = undo.cell["via"] == "file" and undo.prior is None
        if folder and isinstance(fault, OSError) and fault.errno == errno.ENOTEMPTY:
            undo.why = "someone has put files there since"
    return True


def _judge(undo: _Undo) -> None:
    if undo.outcome:
        return
    try:
        undo.after = cells.read(undo.cell)
    except _FAULTS as fault:
        undo.outcome, undo.why = "failed", "cannot be read back: " + reason(fault)
        return
    if cells.same(undo.cell, undo.prior, undo.after):
        undo.outcome, undo.why = ("restored" if undo.wrote else "ok"), None
    else:
        undo.outcome = "drifted" if (undo.why or "").startswith("someone") else "failed"
        after, prior = described(undo.cell, undo.after), described(undo.cell, undo.prior)
        undo.why = undo.why or f"kernel kept {after}, not {prior}"


def _say(undo: _Undo, emit: Emit, **more: bool) -> None:
    cell, values = undo.cell, (undo.before, undo.after, undo.prior, undo.changes[-1].kept)
    emit(
        "result",
        id=cell["id"],
        outcome=undo.outcome,
        before=shown(cell, undo.before),
        after=shown(cell, undo.after),
        why=hide(cell, undo.why, *values),
        **more,
    )
