"""Which boards were started: one folder each, which outlives whoever started it.

    running/NAME/board.json   what was asked for, its port, its image
                 keeper.pid, qemu.pid
                 disk.qcow2   what the board has written
                 console.log, keeper.log

The pid files name processes that work in that folder, and no others.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.board import paths
from runner.board.names import Board

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Entry:
    """One board that was started."""

    board: Board
    folder: Path
    port: int
    image: str

    @property
    def pid(self) -> int | None:
        """QEMU's process, if it lives."""
        return alive(self.folder, "qemu.pid")

    @property
    def on(self) -> bool:
        """Whether it runs, or reboots: its keeper lives without QEMU for a moment then."""
        return self.pid is not None or alive(self.folder, "keeper.pid") is not None

    @property
    def disk(self) -> Path:
        """What the board has written."""
        return self.folder / "disk.qcow2"

    def write(self) -> None:
        """Keep it beside the board."""
        fields = {"board": self.board.to_json(), "port": self.port, "image": self.image}
        part = self.folder / "board.json.part"
        part.write_text(json.dumps(fields) + "\n", encoding="utf-8")
        part.replace(self.folder / "board.json")


def find(name: str) -> Entry | None:
    """Give a board that was started and not yet ended."""
    return read(paths.running() / name)


def read(folder: Path) -> Entry | None:
    """Read a board's folder; None where a start was interrupted before there was a board."""
    try:
        fields: dict[str, Any] = json.loads((folder / "board.json").read_text(encoding="utf-8"))
        board = Board.from_json(fields["board"])
        return Entry(board, folder, int(fields["port"]), str(fields["image"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def entries() -> list[Entry]:
    """Give all boards by name, also those that nobody remembers."""
    if not paths.running().is_dir():
        return []
    boards = (read(folder) for folder in sorted(paths.running().iterdir()))
    return [entry for entry in boards if entry is not None]


@contextlib.contextmanager
def locked(name: str) -> Iterator[Path]:
    """Hold a board's name while it is started or ended: two starts make one board."""
    folder = paths.running()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder / name


_used: list[int] = []


def use(entry: Entry) -> None:
    """Mark a board as used by this process, for as long as it lives: the kernel ends the mark."""
    fd = os.open(entry.folder / "used", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_SH)
    _used.append(fd)


def is_used(entry: Entry) -> bool:
    """Say whether a command works on a board: one that `runner board down` would end it under."""
    try:
        fd = os.open(entry.folder / "used", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def alive(folder: Path, pid_file: str) -> int | None:
    """Give the process of a pid file if it is still that process: numbers are used again.

    Both processes of a board work in its folder.
    """
    try:
        pid = int((folder / pid_file).read_text(encoding="ascii"))
        working = Path(f"/proc/{pid}/cwd").readlink()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        state = stat.rsplit(")", 1)[1].split()[0]
    except (OSError, ValueError, IndexError):
        return None
    return pid if working == folder.resolve() and state != "Z" else None


def end(folder: Path, grace_s: float = 5.0) -> None:
    """End a board's processes, the keeper first, and remove its folder with all it wrote."""
    for pid_file in ("keeper.pid", "qemu.pid"):
        pid = alive(folder, pid_file)
        if pid is None:
            continue
        for sent in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
            until = time.monotonic() + grace_s
            while alive(folder, pid_file) and time.monotonic() < until:
                time.sleep(0.05)
            if alive(folder, pid_file) is None:
                break
    shutil.rmtree(folder, ignore_errors=True)
