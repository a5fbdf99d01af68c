"""The process that keeps one board: starts QEMU, and again when the board reboots.

    python -m runner.board.supervisor [restore]      in the board's folder

It plays the firmware: before each start it reads /boot/firmware/cmdline.txt from
the board's disk, as a Raspberry Pi's does from its card.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from runner.board import command, registry
from runner.board.errors import BoardError
from runner.board.image import Image
from runner.board.paths import images
from runner.board.qmp import Monitor

if TYPE_CHECKING:
    from runner.board.registry import Entry

CMDLINE: Final = "/boot/firmware/cmdline.txt"
_CONNECT_S: Final = 20.0


def main(restore: bool) -> int:
    """Keep the board of this folder until it is switched off."""
    folder = Path.cwd()
    entry = registry.read(folder)
    if entry is None:
        return 1
    # whoever starts a board does not stay to be its parent
    child = os.fork()
    if child:
        (folder / "keeper.pid").write_text(f"{child}\n", encoding="ascii")
        return 0
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    while _run(entry, restore=restore):
        restore = False
    return 0


def _stop(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def _run(entry: Entry, *, restore: bool) -> bool:
    """Run QEMU once; True when the board wants to be started again."""
    cmdline = "" if restore else cmdline_txt(entry)
    argv = arguments(entry, cmdline, restore=restore)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as qemu:
        try:
            reason = _reason(qemu, entry.folder / "keeper.sock")
            return qemu.wait() == 0 and reason == "guest-reset"
        finally:
            qemu.terminate()


def _reason(qemu: subprocess.Popen[bytes], path: Path) -> str:
    """Wait for the end of a machine and give QEMU's word for why."""
    until = time.monotonic() + _CONNECT_S
    while True:
        try:
            monitor = Monitor(path, timeout_s=None)
            break
        except (OSError, BoardError):
            if qemu.poll() is not None or time.monotonic() > until:
                return "no monitor"
            time.sleep(0.1)
    reason = "gone"
    with monitor:
        while event := monitor.event():
            if event["event"] == "SHUTDOWN":
                reason = str(event["data"].get("reason"))
    return reason


def arguments(entry: Entry, cmdline: str, *, restore: bool) -> list[str]:
    """Give QEMU's arguments for a board that was prepared."""
    image = Image(images() / entry.image)
    tree = "bcm2837-rpi-3-b.dtb" if entry.board.machine == "raspi3b" else None
    files = command.Files(
        kernel=image.kernel,
        initrd=Path("initrd.img"),
        disk=Path("disk.qcow2"),
        device_tree=None if tree is None else image.device_tree(tree),
    )
    line = command.kernel_line(entry.board, cmdline)
    return command.arguments(entry.board, files, port=entry.port, line=line, restore=restore)


def cmdline_txt(entry: Entry) -> str:
    """Read cmdline.txt from the disk of a machine that is off; empty where there is none."""
    raw = entry.folder / "disk.raw"
    try:
        subprocess.run(
            ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(entry.disk), str(raw)],
            check=True, stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        done = subprocess.run(
            ["debugfs", "-R", f"cat {CMDLINE}", str(raw)],
            check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", env={**os.environ, "PATH": path},
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        print(json.dumps({"cmdline": str(error)}), file=sys.stderr, flush=True)  # noqa: T201 - its log
        return ""
    finally:
        raw.unlink(missing_ok=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main("restore" in sys.argv[1:]))
