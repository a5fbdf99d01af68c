"""Executables sent ahead of a trial, and what is removed after one."""

from __future__ import annotations

import contextlib
import os
import re
import time

from ..crash_point import tick
from ..digest import sha256
from ..state import holds, journal, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from runner.records.program import Asked

    from ..emit import Emit
_SHA = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_CHUNK = 1 << 20
_KEPT = {"agent": 3, "blobs": 8}
"""Of several controllers' versions, and of a row of experiments with the same builds."""
_KEPT_RUNS, _KEPT_RUN_BYTES = 20, 512 << 20
"""Of runs whose controller has not said that it has the record: it may still come for it."""
_ABANDONED_S = 3600.0  # what is still being sent has another name, and is younger


def put(program: Asked, where: state_folder.State, emit: Emit, stdin: BinaryIO) -> bool:
    """Take one frame of bytes into `blobs/<sha256>`, unless it is there.

    Says `need_blob` when the frame is wanted and `blob` when it is in place. A
    cut or damaged frame leaves nothing.
    """
    sha, size = str(program.get("sha256")), program.get("size")
    if not _SHA.fullmatch(sha) or not isinstance(size, int) or size < 0:
        raise state_folder.Refused("bad_program", "put needs `sha256` in lower-case hex and `size`")
    folder = where.path("blobs")
    path = os.path.join(folder, sha)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise state_folder.Refused(
            "bad_program",
            f"{where.root} is mounted noexec: what is sent there cannot be run",
            "name another folder for it: state in hosts.yaml",
        )
    # it has its name only after its fsync, so the size is proof enough
    with contextlib.suppress(FileNotFoundError):
        if os.stat(path).st_size == size:
            os.utime(path)  # the ones used last are kept
            emit("blob", sha256=sha, path=path, sent=False)
            return True
    emit("need_blob", sha256=sha, size=size)
    head = stdin.readline(100).split()
    if head != [str(size).encode(), sha.encode()]:
        raise state_folder.Refused("bad_program", "the frame after `put` is not the one announced")
    part = f"{path}.{os.getpid()}.part"
    try:
        if _receive(stdin, part, size) != sha:
            raise state_folder.Refused(
                "bad_program", "the bytes arrived cut or damaged", "send them again"
            )
        os.rename(part, path)
        tick()
        state_folder.sync_folder(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
    emit("blob", sha256=sha, path=path, sent=True)
    return True


def _receive(stdin: BinaryIO, part: str, size: int) -> str:
    digest = sha256()
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o700)
    with open(fd, "wb") as file:
        left = size
        while left:
            data = stdin.read(min(left, _CHUNK))
            if not data:
                return ""
            digest.update(data)
            file.write(data)
            left -= len(data)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o700)
    tick()
    return digest.hexdigest()


def tidy(where: state_folder.State) -> None:
    """Remove all agents and executables but the newest few, and what a broken link left.

    Called when a run has ended and the host is its own: nothing runs from here but this.
    """
    this = os.path.basename(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for kind, kept in _KEPT.items():
        entries = []
        with contextlib.suppress(OSError):
            entries = [(entry.stat().st_mtime, entry) for entry in os.scandir(where.path(kind))]
        whole = sorted(
            ((at, entry) for at, entry in entries if _SHA.fullmatch(entry.name)),
            key=lambda one: one[0],
        )
        old = [entry for _, entry in whole[:-kept] if entry.name != this]
        parts = [
            entry
            for at, entry in entries
            if not _SHA.fullmatch(entry.name) and time.time() - at > _ABANDONED_S
        ]
        for entry in old + parts:
            _remove(entry.path)


def tidy_runs(where: state_folder.State, run: str) -> None:
    """Remove what runs have left but that of the newest few, and of those all beyond a size.

    Never of the run that asks, and of none whose changes are not undone. Nothing runs any more.
    """
    needed = {change.run for change in journal.read(where.journal).changes} | {run}
    entries = []
    with contextlib.suppress(OSError):
        entries = [(entry.stat().st_mtime, entry) for entry in os.scandir(where.path("runs"))]
    size = 0
    for rank, (_, entry) in enumerate(sorted(entries, key=lambda one: one[0], reverse=True)):
        size += _size(entry.path)
        beyond = rank >= _KEPT_RUNS or (rank > 0 and size > _KEPT_RUN_BYTES)
        if beyond and entry.name not in needed:
            _remove(entry.path)


def _size(path: str) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        if not os.path.isdir(path):
            os.unlink(path)
            return
        import shutil

        shutil.rmtree(path)


def forget(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    """Remove the folder of a finished run; Refused while the host still needs it."""
    run = str(program["run"])
    if not _NAME.fullmatch(run):
        raise state_folder.Refused("bad_program", f"{run!r} is not a run id")
    folder = where.path("runs", run)
    with state_folder.locked(where):
        held = holds.read(where)
        if held and held["run"] == run and holds.alive(held):
            raise state_folder.Refused("busy", f"run {run} holds this host", "restore it first")
        if any(change.run == run for change in journal.read(where.journal).changes):
            raise state_folder.Refused(
                "busy", f"changes of run {run} are not undone", "restore it first"
            )
        if not os.path.isdir(folder):
            raise state_folder.Refused("not_found", f"there is nothing of run {run} on this host")
        import shutil

        shutil.rmtree(folder)
    emit("forgotten", run=run)
    return True
