"""One program, from its validation to its `end` event."""

from __future__ import annotations

import errno
import os
import signal
import sys

from .cells import addresses, cells
from .emit import beat, shown, to_fd
from .state import fence, holds, journal, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Mapping, Optional

    from runner.records.cells import Cell
    from runner.records.program import Asked, TrialAsked

    from .emit import Emit
    from .mask import Mask

VERSION = 1
PROGRAMS = (
    "probe", "converge", "restore", "trial", "attach", "stop", "status", "put", "forget",
    "reboot",
)  # fmt: skip

_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(given: object, state_dir: str) -> int:
    """Carry out a program; events go to stdout, `end` last. Returns the exit code."""
    emit = to_fd(sys.stdout.fileno())
    _ignore_hangup()
    signal.signal(signal.SIGALRM, beat)  # of the timer that BOOT has set
    error: Optional[Dict[str, str]] = None
    ok = False
    try:
        program = check(given)
        mask = secret_of(program)
        if mask:
            emit = to_fd(sys.stdout.fileno(), mask)
        where = state_folder.open_state(state_dir)
        holds.touch(where, str(program["run"]))
        if not program.get("check"):
            _lease(program, where)
        ok = _dispatch(program, where, emit)
    except state_folder.Refused as no:
        error = {"code": no.code, "message": no.message, "fix": no.fix}
    except OSError as fault:
        if fault.errno in _FULL:
            error = {
                "code": "disk_full",
                "message": f"no space for {fault.filename or state_dir}; nothing was begun there",
                "fix": "free some space on the host",
            }
        else:
            error = _internal(fault)
    except Exception as fault:  # noqa: BLE001 - a stream without `end` reads as a broken link
        error = _internal(fault)
    emit("end", ok=ok and error is None, error=error)
    return 0 if ok and error is None else 1


def secret_of(program: Asked) -> Optional[Mask]:
    """Give what hides the secrets of a program, None where it has none."""
    if not program.get("secrets"):
        return None
    from .mask import Mask

    return Mask(map(str, program["secrets"]))


def check(program: object) -> TrialAsked:
    """Refuse what is not a program, all of it before anything is done; give it typed."""
    if not isinstance(program, dict):
        raise state_folder.Refused("bad_program", "a program is a JSON object")
    name = program.get("program")
    if name not in PROGRAMS:
        raise state_folder.Refused(
            "bad_program", f"no program {name!r}, only {', '.join(PROGRAMS)}"
        )
    if program.get("version") != VERSION:
        raise state_folder.Refused(
            "bad_program", f"version {program.get('version')!r} of a program, not {VERSION}"
        )
    if not isinstance(program.get("run"), str) or not program["run"]:
        raise state_folder.Refused("bad_program", "a program names its `run`")
    if name in ("probe", "converge"):
        _check_cells(program.get("cells", [] if name == "probe" else None), name == "converge")
    asked: TrialAsked = program  # type: ignore[assignment]  # a trial is checked by trial_check
    return asked


def _check_cells(given: object, wanted: bool) -> None:
    if not isinstance(given, list):
        raise state_folder.Refused("bad_program", "`cells` is a list")
    seen = set()
    for cell in given:
        name = cell.get("id") if isinstance(cell, dict) else None
        if not isinstance(name, str):
            raise state_folder.Refused("bad_program", f"a cell has an `id`: {cell!r}")
        why = _fault_of(cell, wanted)
        if why is None and name in seen:
            why = "is there twice"
        if why is not None:
            raise state_folder.Refused("bad_program", f"cell {name} {why}")
        seen.add(name)


def _fault_of(cell: Cell, wanted: bool) -> Optional[str]:
    why = addresses.fault_of(cell)
    return why or (_fault_of_want(cell) if wanted else None)


def _fault_of_want(cell: Cell) -> Optional[str]:
    if "want" not in cell:
        return "lacks `want`"
    want, via = cell["want"], cell["via"]
    if want is None or isinstance(want, dict) == (via in ("file", "swap")):
        return None
    return f"wants {want!r}, which is not a value of {via}"


def _dispatch(program: TrialAsked, where: state_folder.State, emit: Emit) -> bool:
    if program["program"] not in ("probe", "status", "attach"):
        fence.refuse_if_outrun(where, program["run"], program.get("job"))
    works: Dict[str, Callable[[TrialAsked, state_folder.State, Emit], bool]] = {
        "probe": _probe,
        "converge": _converge,
        "restore": _restore,
        "put": _put,
        "forget": _forget,
        "status": _status,
        "reboot": _reboot,
    }
    return works.get(str(program["program"]), _trial)(program, where, emit)


# The imports below stand here and not at the top: a start costs a small board what it
# imports, and what a trial imports stays in memory beside it.


def _converge(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    from .programs import converge

    return converge.run(program, where, emit)


def _restore(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    from .programs import restore

    return restore.run(program, where, emit)


def _put(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    from .programs import blobs

    return blobs.put(program, where, emit, sys.stdin.buffer)


def _forget(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    from .programs import blobs

    return blobs.forget(program, where, emit)


def _status(_: Mapping[str, object], where: state_folder.State, emit: Emit) -> bool:
    from .programs import status

    status.run(where, emit)
    return True


def _reboot(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    from .programs import reboot

    return reboot.run(program, where, emit)


def _trial(program: TrialAsked, where: state_folder.State, emit: Emit) -> bool:
    if program["program"] == "trial":
        from .trial import supervisor

        return bool(supervisor.run(program, where, emit))
    from .programs import attach

    work: Callable[..., bool] = attach.run if program["program"] == "attach" else attach.stop
    return bool(work(program, where, emit))


def _lease(program: Asked, where: state_folder.State) -> None:
    hold = program.get("hold") or {}
    if program["program"] in ("converge", "trial") and hold.get("lease_s") is not None:
        from .state import lease

        lease.watch(where)


def _probe(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    if program.get("facts", True):
        from .facts import gather

        emit("facts", facts=gather.asked(program))
    for cell in program.get("cells", []):
        value, error = cells.try_read(cell)
        emit("value", id=cell["id"], value=shown(cell, value), error=error)
    tried = None
    if program.get("ports"):
        from .facts import ports

        tried = ports.count()
    held = holds.holder(where)
    changes = journal.read(where.journal).changes
    emit(
        "host",
        busy=held if holds.alive(held) else None,
        journal={
            "entries": len(changes),
            "runs": list(dict.fromkeys(change.run for change in changes)),
        },
        root=os.geteuid() == 0,
        ports=tried,
    )
    return True


def _ignore_hangup() -> None:
    """Finish what was begun when the link drops.

    A handler and not SIG_IGN, which programs started from here would inherit.
    """
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


def _internal(fault: BaseException) -> Dict[str, str]:
    import traceback

    traceback.print_exc()
    return {
        "code": "internal",
        "message": f"{type(fault).__name__}: {fault}",
        "fix": "report this with what the agent wrote to stderr",
    }
