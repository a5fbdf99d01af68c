"""The booted machine, kept: a second start takes two seconds.

QEMU keeps memory and processors inside the disk's overlay (`savevm`). Such a
snapshot is not seen through a backing file, so the whole overlay is copied. It
fits only the machine it was made of: same QEMU, same arguments, same image, same
keys; all of that is its name.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from runner.board import access, command, paths, supervisor
from runner.board.qmp import Monitor

if TYPE_CHECKING:
    from pathlib import Path

    from runner.board.registry import Entry


@functools.cache
def _qemu_version() -> str:
    done = subprocess.run(
        [command.QEMU, "--version"], check=True, stdin=subprocess.DEVNULL, capture_output=True,
        text=True,
    )  # fmt: skip
    return done.stdout.splitlines()[0]


def identity(version: str, argv: list[str], seed: bytes, *, leave_out: tuple[str, ...]) -> str:
    """Give a snapshot's name; the words of `leave_out` differ between boards and do not matter."""
    words = [word for word in argv if not any(part in word for part in leave_out)]
    parts = [version, words, hashlib.sha256(seed).hexdigest()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def place(entry: Entry) -> Path:
    """Give the file where the snapshot of such a board is kept."""
    # name and port are the board's own, and no part of the machine
    argv = supervisor.arguments(entry, "", restore=False)
    argv[argv.index("-name") + 1] = "-"
    name = identity(_qemu_version(), argv, access.seed(), leave_out=("hostfwd=",))
    return paths.snapshots() / f"{name}.qcow2"


def possible(entry: Entry) -> bool:
    """Whether QEMU can restore such a machine; its USB network cannot be."""
    return entry.board.machine == "virt"


def take(entry: Entry) -> None:
    """Keep the running machine; it stands still for the second that this takes."""
    file = place(entry)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{entry.board.name}.part")
    with Monitor(entry.folder / "qmp.sock") as monitor:
        monitor.ask("stop")
        try:
            monitor.human(f"savevm {command.SNAPSHOT}")
            # standing still, nothing of the disk is left in QEMU's memory
            shutil.copyfile(entry.disk, part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
            monitor.ask("cont")
