"""A workload that outlives its trial: handed on to the next trial of the same search.

Only its parent learns how a workload ends and reads what it prints, so the next trial
does not get the workload: the supervisor that has it gets the next program. The process
on the link makes the next trial's folder, spool and lock as for any other trial, and
passes both descriptors on instead of forking. A lock belongs to the open file and not
to a process (flock(2)), so whoever asks finds the trial supervised throughout.

    link → supervisor   length, spool, lock; the program
    supervisor → link   TAKEN
    link → supervisor   GO: without it the descriptors are dropped, so one of the two runs it
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import time

from ..programs import attach
from ..sample.raw_socket import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Tuple

    from runner.records.program import TrialAsked

    from .loop import Loop

NAME = "next"
WITHIN_S = 10.0
AGAIN_S = 0.02
READ_BYTES = 65536
MOST_BYTES = 64 << 20
TAKEN, GO = b"t", b"g"
_LENGTH = struct.Struct("!I")
_TWO = struct.Struct("ii")


class Handed:
    """The next program of a kept workload, and its trial's spool and lock."""

    def __init__(self, program: TrialAsked, spool: int, lock: int) -> None:
        self.program, self.spool, self.lock = program, spool, lock


def hand_over(folder: str, program: TrialAsked, spool: int, lock: int) -> bool:
    """Pass a program to the supervisor that waits in `folder`; False where none does.

    Its door opens a moment after its record has ended.
    """
    deadline = time.monotonic() + WITHIN_S
    line = _connected(folder)
    while line is None and attach.supervised(folder) and time.monotonic() < deadline:
        time.sleep(AGAIN_S)
        line = _connected(folder)
    if line is None:
        return False
    try:
        data = json.dumps(program).encode()
        fds = _TWO.pack(spool, lock)
        line.sendmsg([_LENGTH.pack(len(data))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        line.sendall(data)
        if line.recv(1) != TAKEN:
            return False
        line.sendall(GO)
    except OSError:
        return False
    finally:
        line.close()
    return True


def _connected(folder: str) -> Optional[socket.socket]:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(WITHIN_S)
    try:
        with _short(folder) as path:
            line.connect(path)
    except OSError:
        line.close()
        return None
    return line


class Door:
    """Where a supervisor waits for the next program."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short(folder) as path:
                self._line.bind(path)
            self._line.listen(1)
            self._line.setblocking(False)
        except OSError:
            self._line.close()
            raise

    def wait(self, loop: Loop, seconds: float) -> Optional[Handed]:
        """Give what is handed over, None when the time is up; Stopped passes through."""
        handed: List[Handed] = []

        def knocked() -> None:
            message = self._take()
            if message is not None:
                handed.append(message)

        loop.reader(self._line.fileno(), knocked)
        try:
            loop.wait(seconds, lambda: bool(handed))
        finally:
            loop.forget(self._line.fileno())
        return handed[0] if handed else None

    def close(self) -> None:
        """Nobody is let in any more."""
        self._line.close()
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._folder, NAME))

    def _take(self) -> Optional[Handed]:
        line = None
        fds: Tuple[int, ...] = ()
        try:
            # the only one that `_socket` has
            fd, _ = self._line._accept()  # type: ignore[attr-defined]  # noqa: SLF001
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fd)
            line.settimeout(WITHIN_S)
            head, sent, _, _ = line.recvmsg(_LENGTH.size, socket.CMSG_SPACE(_TWO.size))
            fds = _TWO.unpack(sent[0][2][: _TWO.size])
            program = json.loads(_exactly(line, min(_LENGTH.unpack(head)[0], MOST_BYTES)))
            line.sendall(TAKEN)
            if line.recv(1) == GO:
                for fd in fds:
                    os.set_inheritable(fd, False)
                return Handed(program, *fds)
        except (OSError, ValueError, IndexError, struct.error):
            pass  # whoever it was is gone, and takes it that nobody was here
        finally:
            if line is not None:
                line.close()
        for fd in fds:
            os.close(fd)
        return None


def _exactly(line: socket.socket, many: int) -> bytes:
    parts = []
    while many > 0:
        part = line.recv(min(many, READ_BYTES))
        if not part:
            raise ValueError("cut short")
        parts.append(part)
        many -= len(part)
    return b"".join(parts)


@contextlib.contextmanager
def _short(folder: str) -> Iterator[str]:
    """Give a path of the door that is short enough for a socket, wherever the folder is."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{NAME}"
    finally:
        os.close(fd)
