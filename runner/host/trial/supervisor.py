"""`trial`: run one workload under load, detached from the link.

The process on the link forks a supervisor (own session, no terminal, no pipe of the
link's) and from then on only copies the spool. So the trial goes on when the link
drops, and `attach` finds everything. Where the workload is kept from trial to trial,
the supervisor is too (see kept).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal

from ..programs import attach, trial_check
from ..state import holds, state_folder
from ..state.state_folder import Refused, State
from . import process
from .context import Context
from .loop import Stopped
from .spool import DiskFull, Spool
from .trial import STDERR_NAME, Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Optional, Tuple

    from runner.records.program import Asked, TrialAsked

    from ..emit import Emit
    from .workload import Workload


def run(program: TrialAsked, here: State, emit: Emit, out: int = 1) -> bool:
    """Start the trial and stream its spool to `out`. Refused before anything is done.

    Ends by SystemExit once the spool's own `end` was sent: there is no second one.
    """
    del emit  # everything that is sent comes from the spool
    trial_check.check(program, here)
    boot = program.get("boot_id")
    if boot and boot != state_folder.boot_id():
        # what was converged went with the old boot: the trial would measure another state
        raise Refused(
            "rebooted",
            "the host was rebooted after it was brought to the declared state",
            "run the experiment again; `apply --resume` keeps the trials that are done",
        )
    folder = attach.folder_of(program, here)
    with state_folder.locked(here):
        holds.take(here, str(program["run"]), program.get("hold") or {})
    os.makedirs(folder, mode=0o700, exist_ok=True)
    lock = os.open(
        os.path.join(folder, attach.LOCK_NAME), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        spool = Spool(folder)
    except (BlockingIOError, FileExistsError):
        raise Refused(
            "bad_program",
            "trial {} was begun before".format(program["trial"]),
            "attach to it, or give the new attempt a new id",
        ) from None
    except DiskFull:
        raise Refused("disk_full", f"no room in {here.root}", "free some space") from None
    if not _handed_over(program, here, spool, lock) and os.fork() == 0:
        _supervise(program, here, folder, spool, lock)
    spool.release()
    os.close(lock)  # the supervisor's copy keeps it locked
    return attach.stream(folder, 0, out, here, str(program["run"]))


def _handed_over(program: TrialAsked, here: State, spool: Spool, lock: int) -> bool:
    """Give the program to the supervisor that keeps the workload of the trial before it.

    One that does not take it is ended: the trial's own workload wants its port and group.
    """
    keep = program.get("keep")
    before = keep["after"] if keep else None
    if not before:
        return False
    from . import handover

    earlier: Asked = {"run": program["run"], "trial": before}
    folder = attach.folder_of(earlier, here)
    if not attach.supervised(folder):
        return False
    if handover.hand_over(folder, program, spool.fd, lock):
        return True
    attach.stop(earlier, here, lambda *_, **__: None)
    return False


def _supervise(program: TrialAsked, here: State, folder: str, spool: Spool, lock: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        stderr = os.open(
            os.path.join(folder, STDERR_NAME), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
        )
        for fd, target in ((null, 0), (null, 1), (stderr, 2)):
            os.dup2(fd, target)
        # A descriptor of the link's, inherited from sshd or sudo, would keep it open.
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in (spool.fd, lock):
                with contextlib.suppress(OSError):
                    os.close(int(name))
        ctx = Context(program, here, folder, spool)
        os.chdir("/")
        process.adopt()
        _conduct_all(ctx, lock)
        code = 0
    except BaseException:  # noqa: BLE001 - this process must not go back into the link's code
        import traceback

        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _conduct_all(ctx: Context, lock: int) -> None:
    """Run the trial, and then those that its workload is kept for and handed to."""
    kept: Optional[Workload] = None
    while True:
        os.write(lock, b"%d\n" % os.getpid())
        trial = Trial(ctx, kept)
        trial.run()
        # the record is whole, and the lock stays: whoever stops the trial ends the workload
        ctx.close()
        kept = trial.kept
        if kept is None:
            return
        following = _await_next(ctx, kept)
        os.close(lock)
        if following is None:
            return
        ctx, lock = following


def _await_next(ctx: Context, workload: Workload) -> Optional[Tuple[Context, int]]:
    """Wait for the next program of a kept workload; end the workload when none comes."""
    from .handover import Door

    handed, loop, keep = None, ctx.loop, ctx.program.get("keep")
    loop.deaf = False
    try:
        door = Door(ctx.folder)
        try:
            handed = door.wait(loop, float(keep["for_s"]) if keep else 0.0)
        finally:
            door.close()
    except (Stopped, OSError):
        pass
    if handed is None:
        loop.deaf = True
        workload.stop()
        process.end_all(loop)
        return None
    folder = attach.folder_of(handed.program, ctx.state)
    spool = Spool(folder, handed.spool)
    return Context(handed.program, ctx.state, folder, spool, loop), handed.lock
