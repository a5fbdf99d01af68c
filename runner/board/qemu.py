"""Starting, attaching to and ending boards."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from runner.board import access, image, registry, snapshot, tools
from runner.board.errors import BoardError
from runner.board.image import Image
from runner.board.paths import images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.board.names import Board
    from runner.board.registry import Entry

    Tell = Callable[[str], None]

BOOT_S: Final = 240.0
"""A Raspberry Pi 3 on a busy two-core machine takes a minute."""

_TRIES: Final = 3


def up(board: Board, tell: Tell, *, mirror: str | None = None) -> Entry:
    """Give the board, started if it does not run yet and its image built if there is none."""
    with registry.locked(board.name) as folder:
        entry = registry.read(folder)
        if entry is not None and entry.on:
            if entry.board != board:
                raise BoardError(
                    f"{board.name} runs already, as another machine",
                    fix=f"runner board down {board.name}, or choose another --name",
                )
            return _wait(entry, tell, BOOT_S)
        tools.require(tools.RUN)
        if entry is not None and (images() / entry.image / "image.json").is_file():
            tell(f"{board.name}: was switched off; booting with what it had written")
            return _start(entry, tell, restore=False)
        registry.end(folder)
        base = image.build(tell, mirror=mirror)
        folder.mkdir(parents=True, mode=0o700)
        entry = registry.Entry(board, folder, 0, base.identity)
        saved = snapshot.place(entry) if snapshot.possible(entry) else None
        restore = saved is not None and saved.is_file()
        _prepare(entry, base, saved if restore else None)
        if restore:
            try:
                return _start(entry, tell, restore=True)
            except BoardError as error:
                tell(f"{board.name}: its snapshot does not start ({error.message}); booting")
                assert saved is not None  # noqa: S101 - there is one to restore
                saved.unlink(missing_ok=True)
                registry.end(folder)
                folder.mkdir(parents=True, mode=0o700)
                _prepare(entry, base, None)
        entry = _start(entry, tell, restore=False)
        if saved is not None:
            snapshot.take(entry)
        return entry


def down(name: str) -> bool:
    """End a board and remove what it has written; False when there is none of that name."""
    with registry.locked(name) as folder:
        there = folder.exists()
        registry.end(folder)
        return there


def _prepare(entry: Entry, base: Image, saved: Path | None) -> None:
    first = base.initrd(entry.board.machine).read_bytes()
    # the kernel takes several archives, each at a multiple of four bytes
    (entry.folder / "initrd.img").write_bytes(first + bytes(-len(first) % 512) + access.seed())
    if saved is not None:
        shutil.copyfile(saved, entry.disk)
        return
    done = subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base.disk), "-F", "raw",
         str(entry.disk)],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise BoardError(f"no disk for {entry.board.name}: {done.stderr.strip()}")


def _start(entry: Entry, tell: Tell, *, restore: bool) -> Entry:
    """Start the keeper; on another port when somebody took ours in between."""
    name = entry.board.name
    if not restore:
        tell(f"{name}: booting under emulation, 10 to 40 seconds")
    for left in reversed(range(_TRIES)):
        # a controller that lost the board looks for it where it was
        port = _free_port(entry.port if left == _TRIES - 1 else 0)
        entry = registry.Entry(entry.board, entry.folder, port, entry.image)
        entry.write()
        with (entry.folder / "keeper.log").open("wb") as log:
            subprocess.run(
                [
                    sys.executable, "-m", "runner.board.supervisor",
                    *(["restore"] if restore else []),
                ],
                cwd=entry.folder, check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            return _wait(entry, tell, BOOT_S, started=True)
        except BoardError as error:
            if left == 0 or "host forwarding" not in error.message:
                raise
    raise AssertionError  # pragma: no cover - the last try raises


def _wait(entry: Entry, tell: Tell, timeout_s: float, *, started: bool = False) -> Entry:
    """Wait until the board lets us in."""
    begun = time.monotonic()
    name = entry.board.name
    reported_s = 0.0
    while True:
        if access.answers(entry) and access.settle(entry):
            if started:
                tell(
                    f"{name}: ready after {time.monotonic() - begun:.0f} s at "
                    f"{access.LOOPBACK}:{entry.port}"
                )
            return entry
        waited = time.monotonic() - begun
        if not entry.on:
            raise BoardError(
                f"{name} ended: {_tail(entry.folder / 'keeper.log')}", fix=_again(name)
            )
        if waited > timeout_s:
            raise BoardError(
                f"{name} does not answer after {timeout_s:.0f} s: "
                f"{_tail(entry.folder / 'console.log')}",
                fix=_again(name),
            )
        if waited - reported_s > 20:
            reported_s = waited
            tell(f"{name}: {waited:.0f} s …")
        time.sleep(0.1)


def _again(name: str) -> str:
    return f"runner board down {name}, then start it again"


def _tail(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "it left no word"
    words = [line.strip() for line in lines if line.strip()]
    return " / ".join(words[-3:]) or "it left no word"


def _free_port(wanted: int) -> int:
    """Give a free port of loopback: the wanted one if it is."""
    with socket.socket() as probe:
        # connections that ended a moment ago do not keep a port from QEMU either
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((access.LOOPBACK, wanted))
        except OSError:
            probe.bind((access.LOOPBACK, 0))
        return int(probe.getsockname()[1])
