"""The hold: which run has this host, whoever of its users asks.

`hold.json` of the state folder is what counts for its own user; claims.py tells the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import time

from ..crash_point import tick
from . import claims, fence
from .state_folder import Refused, aside, boot_id, sync_folder, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, TypeVar, Union

    from runner.records.cells import Held, Hold

    from .state_folder import State

    Fallback = TypeVar("Fallback", float, None)

REBOOT_S = 900.0
"""How long a run that reboots its host may stay away: a slow board, and a check of its disk."""


def read(state: State) -> Optional[Held]:
    """Give the run that holds this host, or None. A damaged file holds nothing.

    Whatever the file says, what is given has the right types: keys that are missing or are
    not what they have to be are filled in from the file's own time, or left out.
    """
    try:
        fd = os.open(state.path("hold.json"), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, encoding="utf-8") as file:
            content = json.loads(file.read(_HOLD_BYTES))
            touched = os.fstat(file.fileno()).st_mtime
    except (OSError, ValueError, RecursionError):
        return None
    return _whole(content, touched)


def _whole(content: object, touched: float) -> Optional[Held]:
    if (
        not isinstance(content, dict)
        or not isinstance(content.get("run"), str)
        or not content["run"]
    ):
        return None
    pid = _number(content.get("pid"), None)
    whole: Held = {
        "run": content["run"],
        "kept": bool(content.get("kept")),
        "rebooting": bool(content.get("rebooting")),
        "since": _number(content.get("since"), touched),
        "seen": max(_number(content.get("seen"), touched), touched),
        "lease_s": _number(content.get("lease_s"), None),
        "pid": None if pid is None else int(pid),
        "boot_id": _text(content.get("boot_id")),
        "controller": _text(content.get("controller")),
        "claim": _text(content.get("claim")),
        "job": fence.job_of(content.get("job")) or None,
    }
    return whole


def holder(state: State) -> Optional[Held]:
    """Give who holds this host, whichever state folder it is known from; dead holds come last."""
    held = read(state)
    if alive(held):
        return held
    return next(_others(state), held)


def _others(state: State) -> Iterator[Held]:
    """Give the holds that other state folders of this host have, of this user and of others."""
    others, more = claims.read()
    if more:
        raise Refused(
            "busy",
            f"more than {claims.MOST} holds are in {claims.place()}, which is not runner's doing",
            "remove those that nobody measures with: runner-hold-*.json",
        )
    for claim in others:
        whole = None if claim.of(state.root) else _whole(claim.content, claim.touched)
        if whole is not None and alive(whole) and claim.stands():
            whole["uid"], whole["state"], whole["claim"] = claim.uid, claim.state, claim.path
            yield whole


_HOLD_BYTES = 1 << 20
_TEXT = 4096


def _number(value: object, otherwise: Fallback) -> Union[float, Fallback]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return otherwise
    return value if abs(value) < 1e12 else otherwise  # nor NaN: it compares as false


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) and len(value) <= _TEXT else None


def alive(held: Optional[Held]) -> bool:
    """Say whether a hold still counts: its boot or its reboot, its controller heard of in time."""
    if not held or held.get("kept"):
        return False
    if held.get("boot_id") != boot_id():
        # it rebooted for its own run, which has this long to take it up again
        return bool(held.get("rebooting")) and time.time() - held["seen"] <= REBOOT_S
    pid = held.get("pid")
    if pid is not None:
        return _runs(pid)  # the controller is on this very machine: nothing has to be guessed
    lease_s = held.get("lease_s")
    # without a lease only a restore ends it
    return lease_s is None or time.time() - held["seen"] <= lease_s


def _runs(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True  # of another user, whose processes /proc may hide
    except (OSError, OverflowError):
        return False
    return True


def refuse_if_held(state: State, run: str, gone: Optional[str] = None) -> None:
    """Raise Refused `busy` while another run's hold is alive, in whichever state folder it is.

    `gone` is a run whose controller is known to be dead.
    """
    held = read(state)
    if held and held["run"] not in (run, gone) and alive(held):
        raise _busy(held, "`runner restore --force` puts the host back")
    for other in _others(state):
        if other["run"] not in (run, gone):
            whose = "as uid {uid}, `runner restore --force --state-dir {state}`".format(**other)
            raise _busy(other, f"{whose} puts the host back")


def _busy(held: Held, fix: str) -> Refused:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(held["since"]))
    return Refused(
        "busy",
        f"held by run {held['run']} since {since}, started from {held.get('controller')}",
        f"wait for it to end; if it is dead, {fix}",
    )


def take(state: State, run: str, want: Hold) -> Held:
    """Take the host for a run, or renew what it has; Refused `busy` as above.

    Of two state folders that take it at once, at most one gets it: each tells the other
    first, and looks then.
    """
    refuse_if_held(state, run)
    fence.set_up(state, run, want.get("job"))
    now = time.time()
    before = read(state)
    taken: Held = {
        "run": run,
        "since": before["since"] if before and before["run"] == run else now,
        "controller": want.get("controller"),
        "lease_s": want.get("lease_s"),
        "pid": want.get("pid"),
        "kept": bool(want.get("kept")),
        "rebooting": False,
        "seen": now,
        "boot_id": boot_id(),
        "claim": None if want.get("kept") else _claim_of(before),
        "job": want.get("job"),
    }
    write_whole(state.path("hold.json"), json.dumps(taken).encode())
    if taken["claim"] is None:
        claims.withdraw(state.root)
        return taken
    try:
        claims.publish(taken["claim"], state.root, taken)
        refuse_if_held(state, run)
    except (Refused, OSError):
        drop(state)
        raise
    return taken


def _claim_of(before: Optional[Held]) -> str:
    """Give where the hold is told to the host's other users; Refused where nothing is shared."""
    path = before.get("claim") if before else None
    if path is not None and claims.is_ours(path):
        return path
    folder = claims.place()
    if folder is None:
        places = ", ".join(claims.VOLATILE)
        raise Refused(
            "internal",
            f"nothing of {places} is root's and open to all, so nobody could see who has this host",
            f"as root: install -d -m 1777 {claims.VOLATILE[0]}",
        )
    return claims.new_path(folder)


def leave_for_a_boot(state: State, run: str) -> None:
    """Let a run's hold outlive the reboot that it asked for; Refused where it has none."""
    held = read(state)
    if not held or held["run"] != run or held.get("boot_id") != boot_id():
        raise Refused("busy", f"run {run} does not hold this host", "converge first")
    kept: Held = {**held, "rebooting": True, "seen": time.time()}
    write_whole(state.path("hold.json"), json.dumps(kept).encode())
    folder = claims.place(lasting=True)
    if folder is not None:  # else the host is free for others from its boot to the run's return
        claims.publish(claims.new_path(folder), state.root, kept)


def touch(state: State, run: str) -> None:
    """Note that the controller of a run was heard of; for the lease.

    By the file's time alone: writing to an SD card every few seconds would
    disturb what is measured.
    """
    held = read(state)
    if held and held["run"] == run and held.get("lease_s") is not None:
        os.utime(state.path("hold.json"))
        claims.touch(held.get("claim"))


def drop(state: State) -> None:
    """Let the host go."""
    path = state.path("hold.json")
    with contextlib.suppress(FileNotFoundError):
        if os.path.isdir(path):
            aside(path)
        else:
            os.unlink(path)
        sync_folder(state.root)
        tick()
    claims.withdraw(state.root)
