"""Boards of machine.py behind an sshd each: they can hang, boot by themselves, be switched off."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.apply.conftest import ROOT, Cli
from tests.sshd import Sshd, start_sshd


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
