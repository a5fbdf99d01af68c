"""The way into a board: the user's own key, the host key we made, ssh on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Final

from runner.board import initrd, paths
from runner.board.errors import BoardError
from runner.board.names import USER

if TYPE_CHECKING:
    from pathlib import Path

    from runner.board.registry import Entry

LOOPBACK: Final = "127.0.0.1"
_HOMES: Final = {"0:0": "/root", "1000:1000": "/home/pi", "1001:1001": "/home/guest"}


def key() -> Path:
    """Give the private key that opens this user's boards, made when there is none."""
    return _key_file("id_ed25519", "runner-boards")


def host_key() -> Path:
    """Give the key that this user's boards show."""
    return _key_file("host_ed25519", "virtual")


def _key_file(name: str, comment: str) -> Path:
    folder = paths.home()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / name
    if not file.exists():
        part = folder / f"{name}.{os.getpid()}"
        done = subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(part)],
            check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise BoardError(f"no key for the boards: {done.stderr.strip()}")
        part.with_name(part.name + ".pub").replace(folder / f"{name}.pub")
        part.replace(file)
    return file


def public(private: Path) -> str:
    """Give the public half of a key."""
    return private.with_name(private.name + ".pub").read_text(encoding="ascii")


def seed() -> bytes:
    """Give the part of the first root that lets this user in."""
    return initrd.seed(
        public_key=public(key()),
        host_key=host_key().read_text(encoding="ascii"),
        homes=_HOMES,
    )


def known_hosts(entry: Entry) -> Path:
    """Write the board's host key down where ssh looks for it, and nowhere else."""
    kind, text = public(host_key()).split()[:2]
    file = entry.folder / "known_hosts"
    file.write_text(f"[{LOOPBACK}]:{entry.port} {kind} {text}\n", encoding="ascii")
    return file


def ssh(entry: Entry, user: str = USER, *, ask: bool = False) -> list[str]:
    """Give the ssh command for a board; it reads no configuration of the user's."""
    options = [
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known_hosts(entry)}",
        "GlobalKnownHostsFile=/dev/null",
        f"BatchMode={'no' if ask else 'yes'}",
    ]
    return [
        "ssh", "-q", "-F", "/dev/null", "-i", str(key()), "-p", str(entry.port),
        *(word for option in options for word in ("-o", option)),
        f"{user}@{LOOPBACK}",
    ]  # fmt: skip


def answers(entry: Entry) -> bool:
    """Whether sshd greets."""
    try:
        with socket.create_connection((LOOPBACK, entry.port), 1.0) as link:
            link.settimeout(5.0)
            return link.recv(8).startswith(b"SSH-")
    except OSError:
        return False


def settle(entry: Entry, timeout_s: float = 60.0) -> bool:
    """Log in once, name the machine, and set its clock where it is two seconds off.

    QEMU's restored machine believes it is still the day of the snapshot. The time is
    sent when the login is done, which takes a second under emulation.
    """
    script = (
        f"echo {entry.board.name} > /etc/hostname; echo {entry.board.name} > "
        "/proc/sys/kernel/hostname; echo ready; read now; off=$((now - $(date +%s))); "
        "[ ${off#-} -le 2 ] || date -s @$now >/dev/null; echo set"
    )
    argv = [*ssh(entry, "root"), script]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - asked for above
            assert process.stdout is not None  # noqa: S101
            if process.stdout.readline() != "ready\n":
                return False
            answer, _ = process.communicate(f"{time.time():.0f}\n", timeout=timeout_s)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            return False
        return process.returncode == 0 and answer == "set\n"
