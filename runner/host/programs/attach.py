"""Following and ending a trial that runs detached: `attach` and `stop`.

The stream is a copy of the spool, whole lines, from a byte offset to `end`. A lock
that the supervisor holds for its whole life tells a slow trial from a dead one; of
a dead one the record is ended here, so that no reader waits without end.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import time

from ..emit import line_of, write_all
from ..state import holds
from ..state.state_folder import Refused, State
from ..trial import spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from runner.records.program import Asked

    from ..emit import Emit

LOCK_NAME = "supervisor"
LOOK_EVERY_S = 0.1
TOUCH_EVERY_S = 5.0
STOP_S = 60.0
READ_BYTES = 1 << 18
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=,@:-]{0,199}")
_END = b'{"event":"end"'


def folder_of(program: Asked, here: State) -> str:
    """Folder of the trial that the program names; Refused when the names are not file names."""
    names = [str(program.get("run") or ""), str(program.get("trial") or "")]
    for name in names:
        if not NAME.fullmatch(name):
            raise Refused("bad_program", f"{name!r} is not a name of a run or trial")
    return here.path("runs", *names)


def run(program: Asked, here: State, emit: Emit, out: int = 1) -> bool:
    """Stream a trial from `offset` to its `end`; Refused `not_found` without one."""
    del emit  # everything that is sent comes from the spool
    folder = _existing(program, here)
    offset = int(program.get("offset") or 0)
    size = os.stat(os.path.join(folder, spool.NAME)).st_size
    if not 0 <= offset <= size:
        raise Refused(
            "bad_program",
            f"offset {offset} is not in the spool of {size} bytes",
            "attach from 0",
        )
    return stream(folder, offset, out, here, str(program["run"]))


def stop(program: Asked, here: State, emit: Emit) -> bool:
    """End a trial cleanly and wait until it has ended; nothing to do if it has already."""
    folder = _existing(program, here)
    asked = False
    deadline = time.monotonic() + STOP_S
    while supervised(folder):
        pid = _supervisor(folder)
        if pid is not None and not asked and supervised(folder):
            asked = True
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                break
        if time.monotonic() > deadline:
            raise Refused(
                "internal",
                f"the trial did not end within {STOP_S:g} s",
                f"kill its supervisor (pid {pid}) and restore",
            )
        time.sleep(LOOK_EVERY_S / 2)
    _close_record(folder)
    emit("stopped", trial=program["trial"], was_running=asked)
    return True


def stream(folder: str, offset: int, out: int, here: State, run_id: str) -> bool:
    """Copy the spool to `out` until `end`, or until nobody reads there any more (then False).

    After `end` it leaves by SystemExit: nothing is sent that is not in the spool, so
    the caller must not add an `end` of its own.
    """
    fd = os.open(os.path.join(folder, spool.NAME), os.O_RDONLY | os.O_CLOEXEC)
    touched = 0.0
    try:
        while True:
            alive = supervised(folder)  # before the read: what was written until then is seen
            data = _whole_lines(fd, offset)
            if data:
                if not _send(out, data):
                    return False
                offset += len(data)
                if _ends(data):
                    raise SystemExit(0 if _ok(data) else 1)
                if time.monotonic() - touched > TOUCH_EVERY_S:
                    touched = time.monotonic()
                    holds.touch(here, run_id)
            elif offset and _ends(last := _last_line(fd, offset)):
                # All was sent before; who asks again has lost sight of that.
                _send(out, last)
                raise SystemExit(0 if _ok(last) else 1)
            elif not alive:
                _close_record(folder)
            else:
                time.sleep(LOOK_EVERY_S)
    finally:
        os.close(fd)


def supervised(folder: str) -> bool:
    """Whether the trial's supervisor lives."""
    try:
        fd = os.open(os.path.join(folder, LOCK_NAME), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _existing(program: Asked, here: State) -> str:
    folder = folder_of(program, here)
    if not os.path.exists(os.path.join(folder, spool.NAME)):
        raise Refused("not_found", "no trial {} of run {}".format(program["trial"], program["run"]))
    return folder


def _supervisor(folder: str) -> Optional[int]:
    with open(os.path.join(folder, LOCK_NAME), encoding="ascii") as file:
        text = file.read().strip()
    return int(text) if text.isdigit() else None


def _whole_lines(fd: int, offset: int) -> bytes:
    data = os.pread(fd, READ_BYTES, offset)
    while data and b"\n" not in data:  # one event may be longer than a block
        more = os.pread(fd, READ_BYTES, offset + len(data))
        if not more:
            return b""
        data += more
    return data[: data.rfind(b"\n") + 1]


def _last_line(fd: int, size: int) -> bytes:
    data = os.pread(fd, READ_BYTES, max(0, size - READ_BYTES))[: min(size, READ_BYTES)]
    return data[data.rfind(b"\n", 0, -1) + 1 :]


def _ends(data: bytes) -> bool:
    return data[data.rfind(b"\n", 0, -1) + 1 :].startswith(_END)


def _ok(data: bytes) -> bool:
    return bool(json.loads(data[data.rfind(b"\n", 0, -1) + 1 :]).get("ok"))


def _send(out: int, data: bytes) -> bool:
    try:
        write_all(out, data)
    except OSError:
        return False
    return True


def _close_record(folder: str) -> None:
    """End the record of a supervisor that is gone: drop a torn line, say so, add `end`."""
    lock = os.open(os.path.join(folder, LOCK_NAME), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fd = os.open(os.path.join(folder, spool.NAME), os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        data = b""
        while size:
            # from the end back to the last whole line
            data = os.pread(fd, READ_BYTES, max(0, size - READ_BYTES))[: min(size, READ_BYTES)]
            newline = data.rfind(b"\n")
            size = max(0, size - len(data)) + newline + 1
            if newline >= 0:
                data = data[: newline + 1]
                break
        if _ends(data):
            return
        os.ftruncate(fd, size)
        message = "the trial's supervisor was killed"
        error = {"code": "internal", "message": message, "fix": "restore, and run the trial again"}
        os.write(fd, line_of("error", error) + line_of("end", {"ok": False, "error": error}))
        os.fsync(fd)
    finally:
        os.close(fd)
        os.close(lock)
