"""A real sshd on loopback with its own keys, port and folder; and links that can be cut."""

from __future__ import annotations

import contextlib
import getpass
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.transports.ssh import SshTransport
from runner.transports.ssh_options import SshOptions
from tests.waiting import until
from tests.workers import HOLDS, free_port

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserEnvironment no
LogLevel VERBOSE
{extra}
"""


@dataclass
class Sshd:
    folder: Path
    port: int
    process: subprocess.Popen = field(repr=False)

    @property
    def key(self) -> Path:
        return self.folder / "user_key"

    @property
    def host_key(self) -> str:
        kind, text, *_ = (self.folder / "host_key.pub").read_text().split()
        return f"{kind} {text}"

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def sessions(self) -> int:
        """How many commands the server itself says it started."""
        return self.log().count("Starting session: command")

    def options(self, tmp_path: Path, *, trusted: bool = True, **other) -> SshOptions:
        known_hosts = tmp_path / "known_hosts"
        port = other.pop("port", self.port)
        if trusted:
            known_hosts.write_text(f"[127.0.0.1]:{port} {self.host_key}\n")
        config = tmp_path / "ssh_config"
        if not config.exists():
            config.write_text("")
        given = {
            "host": "127.0.0.1",
            "user": getpass.getuser(),
            "port": port,
            "key": self.key,
            "known_hosts": known_hosts,
            "ssh_config": config,
            "use_agent": False,
            "python": sys.executable,
        }
        return SshOptions(**(given | other))

    def transport(self, tmp_path: Path, **other) -> SshTransport:
        return SshTransport(self.options(tmp_path, **other), name="board")


def answers(port: int) -> bool:
    """Whether an sshd says its first line there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
        return sock.recv(4) == b"SSH-"
    return False


def start_sshd(folder: Path, extra: str = "", within: tuple[str, ...] = ()) -> Sshd:
    """Start it; `within` is what starts it instead, given its path and its configuration."""
    program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no sshd on this machine")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its privilege separation folder
    for name in ("host_key", "user_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    # a second SetEnv would count for nothing
    env = f"RUNNER_HOLDS={HOLDS}"
    extra = (
        extra.replace("SetEnv ", f"SetEnv {env} ")
        if "SetEnv " in extra
        else f"{extra}\nSetEnv {env}"
    )
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(CONFIG.format(port=port, folder=folder, extra=extra))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*within, program, str(config)] if within else [program, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Sshd(folder, port, process)
    until(lambda: answers(port) or process.poll() is not None)
    if process.poll() is None:
        return server
    stop_sshd(server)
    pytest.skip(f"sshd does not start here: {server.log()[-300:]}")


def stop_sshd(server: Sshd) -> None:
    server.process.terminate()
    server.process.wait(10)


class Proxy:
    """A TCP link in front of a port that can be cut, and can be told to cut itself.

    `cut_after` bytes from the server, or `cut_after_sent` to it, both sides are closed;
    `down` refuses new connections until it is taken back. `carried` counts both.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut_after: int | None = None
        self.cut_after_sent: int | None = None
        self.carried = {"cut_after": 0, "cut_after_sent": 0}
        self.down = False
        self.accepted = self.refused = 0
        self.cuts = 0
        self._live: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stop = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self._stop:
            ready, _, _ = select.select([self._listener], [], [], 0.05)
            if not ready:
                continue
            near, _ = self._listener.accept()
            if self.down:
                self.refused += 1
                near.close()
                continue
            self.accepted += 1
            far = socket.create_connection(("127.0.0.1", self._target))
            thread = threading.Thread(target=self._carry, args=(near, far), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            self._live |= {near, far}
        try:
            while True:
                ready, _, _ = select.select([near, far], [], [], 0.1)
                for sock in ready:
                    data = sock.recv(65536)
                    if not data:
                        return
                    to, which = (near, "cut_after") if sock is far else (far, "cut_after_sent")
                    left = getattr(self, which)
                    if left is not None and len(data) >= left:
                        to.sendall(data[:left])
                        setattr(self, which, None)
                        self.cuts += 1
                        return
                    if left is not None:
                        setattr(self, which, left - len(data))
                    self.carried[which] += len(data)
                    to.sendall(data)
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._live -= {near, far}
            near.close()
            far.close()

    def cut(self) -> None:
        """Break every connection now."""
        with self._lock:
            self.cuts += 1
            for sock in self._live:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop = True
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory):
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    stop_sshd(server)


@pytest.fixture
def proxy(sshd: Sshd):
    link = Proxy(sshd.port)
    yield link
    link.close()
