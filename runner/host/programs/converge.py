"""Bring cells to their wanted values: compare, journal, apply, read back.

Nothing is changed whose prior value is not durable in the journal, and nothing
that could not be put back. A cell that fails stops only those that name it in
`after`.
"""

from __future__ import annotations

import os
import time

from ..cells import cells, files, normal_forms, parents
from ..emit import described, hide, shown
from ..errors import CellError, reason
from ..state import holds, journal, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Mapping, Optional, Sequence, Tuple

    from runner.records.cells import Cell
    from runner.records.program import Asked

    from ..emit import Emit

TREATMENT = "treatment"
_FAULTS = (OSError, CellError, ValueError)


class _Step:
    """One cell on its way."""

    def __init__(self, cell: Cell) -> None:
        # names that nobody can foresee, in the journal before the first is used
        self.cell = {**cell, "parts": list(files.names())} if cell["via"] == "file" else cell
        self.before: object = None
        self.after: object = None
        self.outcome = ""
        self.why: Optional[str] = None
        self.journalled: List[Tuple[int, Cell]] = []

    def fail(self, why: str) -> None:
        self.outcome, self.why = "failed", why


def run(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    """Carry out a `converge` program; say whether nothing failed."""
    check, layer = bool(program.get("check")), str(program.get("layer") or "")
    steps = [_Step(cell) for cell in parents.with_parents(program["cells"])]
    if check:
        _compare(steps, check=True)
        _report(steps, emit)
        return not _failed(steps)
    with state_folder.locked(where):
        # before anything: a run that may not have the host must not even read for long
        holds.refuse_if_held(where, str(program["run"]))
        undone = bool(program.get("over")) or _undone(program, where, emit)
        _compare(steps, check=False)
        todo = [step for step in steps if not step.outcome]
        _need_root(todo)
        held = holds.take(where, str(program["run"]), program.get("hold") or {})
        _journal(todo, where, held, layer)
        again = [step for step in todo if _apply(step, steps)]
        # a limit that may only be raised after its neighbour was, in whichever order
        for step in again:
            _apply(step, steps)
        disturbed = _disturbed(steps) if todo else []
        if disturbed:
            # the write of one cell changed another that was as wanted, and nobody
            # named it in `coupled`: its prior value is known from the comparison
            _journal(disturbed, where, held, layer)
            for step in disturbed:
                _apply(step, steps)
            todo = [*todo, *disturbed]
        _read_back(todo)
        _seal(todo, where)
    _report(steps, emit)
    if program.get("facts"):
        from ..facts import gather

        emit("facts", facts=gather.asked(program))
    return undone and not _failed(steps)


def _undone(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    """Put back what the run has set for a treatment; say whether all of it is back.

    Before every converge: the base, too, is brought about without it, where a run
    goes on whose controller was killed.
    """
    if not os.path.exists(where.journal):
        return True
    from . import restore

    return restore.undo_layer(where, str(program["run"]), TREATMENT, emit)


def _compare(steps: Sequence[_Step], *, check: bool) -> None:
    coming = [
        str(step.cell["path"]) + "/"
        for step in steps
        if step.cell["via"] == "cgroup" and step.cell["want"] is not None
    ]
    for step in steps:
        cell, want = step.cell, step.cell["want"]
        if cell.get("action"):
            step.outcome = "would change" if check else ""
            continue
        if cell["via"] == "pseudo" and (want is None or not str(want).strip()):
            if _clearable(cell) and want is not None:
                pass
            else:
                step.fail("refused: an empty write succeeds and changes nothing")
                continue
        try:
            step.before = step.after = cells.read(cell)
        except _FAULTS as fault:
            # unreadable for this user says nothing of what root would find
            step.outcome = "unknown" if check and isinstance(fault, PermissionError) else "failed"
            step.why = "cannot be read: " + reason(fault)
            continue
        pending = {str(other.cell["id"]) for other in steps if _is_pending(other)}
        _judge(step, coming, pending, check=check)


def _clearable(cell: Cell) -> bool:
    # lists of the kernel can be empty, numbers cannot
    return cell.get("form") in ("ranges", "set", "exact")


def _is_pending(step: _Step) -> bool:
    return step.outcome in ("", "would change")


def _judge(step: _Step, coming: Sequence[str], pending: "set[str]", *, check: bool) -> None:
    cell, want, have = step.cell, step.cell["want"], step.before
    if cells.equal(cell, want, have):
        step.outcome, step.why = _sameness(cell, want, have)
        return
    if cell["via"] == "pseudo" and have is None:
        # what it waits for may bring it: a group, a unit, a module
        waits = pending.intersection(map(str, cell.get("after") or ()))
        if not waits and not str(cell["path"]).startswith(tuple(coming)):
            step.fail(f"this kernel has no {cell['path']}")
            return
    elif not cell.get("keep") and (why := cells.no_way_back(cell, have)):
        step.fail(why)
        return
    if check:
        step.outcome = "would change"


def _sameness(cell: Cell, want: object, have: object) -> Tuple[str, Optional[str]]:
    form = str(cell.get("form", "exact"))
    if not isinstance(want, str) or cell["via"] in ("link", "argv"):
        return "ok", None
    if form == "set" and want[:1] in ("+", "-"):
        return "ok", None  # `+memory` asks for a word, and never reads as it was written
    if normal_forms.plain(form, want) == normal_forms.plain(form, have):
        return "ok", None
    if cell.get("secret"):
        return "ok (normalised)", "the kernel shows it in another form"
    return "ok (normalised)", f"the kernel shows {want!r} as {have!r}"


def _need_root(todo: Sequence[_Step]) -> None:
    names = [str(step.cell["id"]) for step in todo if cells.needs_write(step.cell)]
    if names:
        raise state_folder.Refused(
            "need_root",
            f"only root can change {', '.join(names)}",
            "set `become: true` of the host",
        )


def _journal(
    todo: Sequence[_Step], where: state_folder.State, held: Mapping[str, object], layer: str
) -> None:
    """Make every prior value durable, those of coupled keys too."""
    run = str(held["run"])
    changes: List[journal.Change] = []
    number = journal.read(where.journal).next
    boot, now = state_folder.boot_id(), time.time()

    def add(step: _Step, cell: Cell, prior: object, want: object) -> None:
        changes.append(
            journal.Change(
                n=number + len(changes),
                run=run,
                boot_id=boot,
                at=now,
                cell=_kept(cell),
                prior=prior,
                want=journal.kept_as(cell, want),
                runtime=bool(cell.get("runtime", True)),
                layer=layer,
            )
        )
        step.journalled.append((changes[-1].n, cell))

    for step in todo:
        if step.cell.get("keep") or step.cell.get("action"):
            continue
        # before the key itself, since the newest is undone first: undoing the
        # key disturbs them once more
        for cell in _coupled(step.cell):
            value, error = cells.try_read(cell)
            if error is None and value is not None:
                add(step, cell, value, None)
        add(step, step.cell, step.before, step.cell["want"])
    if changes:
        journal.append(where.journal, changes, stays=run if held.get("kept") else None)


def _kept(cell: Cell) -> Cell:
    """Give what the journal needs of a cell, to read and to write it."""
    kept = cell.copy()
    for key in ("want", "after", "coupled", "keep"):
        kept.pop(key, None)  # type: ignore[misc]  # each is a key that a cell may lack
    return kept


def _coupled(cell: Cell) -> List[Cell]:
    return [
        {
            "id": f"{cell['id']} > {path}",
            "via": "pseudo",
            "path": path,
            "form": "words",
            "runtime": cell.get("runtime", True),
            "coupled_to": cell["id"],
        }
        for path in _each(cell)
    ]


def _each(cell: Cell) -> List[str]:
    """Kernel files that change with a cell; a `*` is every link that is there now."""
    import glob

    paths: List[str] = []
    for path in map(str, cell.get("coupled") or ()):
        paths += sorted(glob.glob(path)) if "*" in path else [path]
    return [path for path in dict.fromkeys(paths) if path != cell.get("path")]


def _apply(step: _Step, steps: Sequence[_Step]) -> bool:
    """Write one cell; say whether it failed in a way that may pass later."""
    failed = {str(other.cell["id"]) for other in steps if other.outcome == "failed"}
    waits = [name for name in step.cell.get("after") or () if name in failed]
    if waits:
        step.fail(f"not tried: {waits[0]} failed")
        return False
    try:
        cells.write(step.cell, step.cell["want"])
    except _FAULTS as fault:
        if step.cell["via"] == "pseudo" and not os.path.exists(str(step.cell["path"])):
            step.fail(f"this kernel has no {step.cell['path']}")
            return False
        step.fail("cannot be written: " + reason(fault))
        return isinstance(fault, OSError)
    step.outcome = "changed"
    step.why = None
    return False


def _disturbed(steps: Sequence[_Step]) -> List[_Step]:
    """Give the cells that were as wanted and are not any more."""
    return [
        step
        for step in steps
        if step.outcome.startswith("ok")
        and not cells.equal(step.cell, step.cell["want"], cells.try_read(step.cell)[0])
    ]


def _read_back(todo: Sequence[_Step]) -> None:
    """Read all again after the last write: a later one may have undone an earlier one."""
    for step in todo:
        if step.cell.get("action"):
            continue
        try:
            step.after = cells.read(step.cell)
        except _FAULTS as fault:
            step.fail("cannot be read back: " + reason(fault))
            continue
        if step.outcome != "changed":
            continue
        want = step.cell["want"]
        if not cells.equal(step.cell, want, step.after):
            who = "kernel" if step.cell["via"] in ("pseudo", "cgroup", "swap", "link") else "host"
            step.fail(
                f"{who} kept {described(step.cell, step.after)}, not {described(step.cell, want)}"
            )
        elif step.after is not None:
            step.why = _sameness(step.cell, want, step.after)[1]


def _seal(todo: Sequence[_Step], where: state_folder.State) -> None:
    kept: Dict[int, object] = {}
    for step in todo:
        for number, cell in step.journalled:
            value, error = cells.try_read(cell)
            if error is None:
                kept[number] = journal.kept_as(cell, value)
    if kept:
        journal.seal(where.journal, kept)


def _failed(steps: Sequence[_Step]) -> bool:
    return any(step.outcome in ("failed", "unknown") for step in steps)


def _report(steps: Sequence[_Step], emit: Emit) -> None:
    for step in steps:
        cell = step.cell
        emit(
            "result",
            id=cell["id"],
            outcome=step.outcome,
            before=shown(cell, step.before),
            after=shown(cell, step.after),
            why=hide(cell, step.why, step.before, step.after, cell["want"]),
        )
