"""Boards of machine.py behind an sshd each: they can hang, boot by themselves, be switched off."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.apply.conftest import ROOT, Cli, needs_root_and_memory_group
from tests.sshd import Sshd, start_sshd

CONTENT = "/boot/firmware/declared.txt"
"""What `declaring` has on a board for as long as it runs; empty where it is as it was found."""


def declaring(name: str, script: str, per_board: int, server: str = "lab") -> str:
    """A spec of two treatments with state on every board; `script` runs before x is printed."""
    return f"""\
schema: experiment/1
name: {name}
hosts: {{server: {server}}}
system:
  files: {{{CONTENT}: {{content: "declared"}}}}
workload: {{argv: [sh, -c, "{script}; echo '{{\\"x\\": 1}}'"], run: once}}
factors: {{way: [one, two]}}
repeat: {{per_board: {per_board}}}
metrics: {{x: {{from: stdout.json.x}}}}
"""


class Machine:
    """One board: a pid and mount namespace with boots of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.server: Sshd = start_sshd(
            folder,
            within=("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation",
                    "private", sys.executable, str(ROOT / "tests" / "apply" / "machine.py"),
                    str(folder)),
        )  # fmt: skip

    @property
    def first(self) -> int:
        pid = self.server.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(child)

    def inside(self, *argv: str) -> str:
        done = subprocess.run(
            ["nsenter", "-t", str(self.first), "-m", "-p", *argv],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    @property
    def boot(self) -> str:
        return (self.folder / "boot_id").read_text().strip()

    def hang(self) -> None:
        """End all that it runs but its first process: it answers nothing any more."""
        for pid in reversed(below(self.first)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def reboot(self) -> None:
        """Boot it, as a kernel that panics does."""
        (self.folder / "asked").touch()

    def entry(self, tmp_path: Path) -> dict[str, object]:
        options = self.server.options(tmp_path, trusted=False)
        return {"address": options.host, "port": options.port, "user": options.user,
                "key": str(options.key), "python": sys.executable,
                "state": str(self.folder / "state")}  # fmt: skip

    def stop(self) -> None:
        self.server.process.kill()
        self.server.process.wait(10)


def below(pid: int) -> list[int]:
    """Every process below one."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *below(int(child))]
    return found


def lab_of(tmp_path: Path, machines: dict[str, Machine], **more: dict[str, object]) -> Cli:
    """Give the command line of a lab; `more` are keys of single hosts."""
    known = tmp_path / "known_hosts"
    known.write_text("".join(
        f"[127.0.0.1]:{one.server.port} {one.server.host_key}\n" for one in machines.values()
    ))  # fmt: skip
    hosts = {n: {**one.entry(tmp_path), **more.get(n, {})} for n, one in machines.items()}
    inventory = tmp_path / "hosts.yaml"
    inventory.write_text(json.dumps({"hosts": hosts, "groups": {"lab": {"hosts": [*machines]}}}))
    return Cli(tmp_path, ["-i", str(inventory), "--known-hosts", str(known),
                          "--ssh-config", str(tmp_path / "ssh_config")])  # fmt: skip


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[Callable[[str], Machine]]:
    """Give what starts a board by its name, and stop them all at the end."""
    needs_root_and_memory_group()
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    made: list[Machine] = []

    def start(name: str) -> Machine:
        made.append(Machine(folder / name))
        return made[-1]

    try:
        yield start
    finally:
        for one in made:
            one.stop()
