"""`runner` as a user starts it, on this machine or through a real sshd."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.host.conftest import netns  # noqa: F401 - fixture
from tests.sshd import start_sshd, stop_sshd
from tests.workers import own

ROOT = Path(__file__).resolve().parents[2]
NAME = own(
    "fs.lease-break-time",
    "kernel.printk_ratelimit",
    "kernel.printk_ratelimit_burst",
    "kernel.core_pipe_limit",
)
"""A sysctl of this worker that may be anything for a while."""
KEY = Path("/proc/sys", *NAME.split("."))
MEMORY = Path("/sys/fs/cgroup/memory")
LINE = "root=PARTUUID=1-02 rootwait quiet\n"
"""The command line of the kernel of `machine`."""


def needs_root_and_memory_group() -> None:
    if os.geteuid() != 0:
        pytest.skip("changing sysctls and cgroups needs root")
    v2 = Path("/sys/fs/cgroup/cgroup.controllers")
    if not MEMORY.is_dir() and not (v2.exists() and "memory" in v2.read_text()):
        pytest.skip("this machine has no memory cgroup controller")


@dataclass
class Cli:
    folder: Path
    words: list[str] = field(default_factory=list)
    """What chooses the host and the way to it."""

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def argv(self, command: str, *words: str) -> list[str]:
        more = [] if command in {"report", "schema", "kinds"} else self.words
        return [sys.executable, "-m", "runner", command, *words, *more]

    def env(self) -> dict[str, str]:
        return {**os.environ, "RUNNER_REPORTS": str(self.reports), "NO_COLOR": "1"}

    def __call__(self, command: str, *words: str, code: int | None = 0):
        done = subprocess.run(
            self.argv(command, *words), cwd=ROOT, env=self.env(), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=110, check=False,
        )  # fmt: skip
        if code is not None:
            assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def start(self, command: str, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            self.argv(command, *words), cwd=ROOT, env=self.env(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def apply(self, spec: Path, *words: str, code: int | None = 0) -> dict:
        done = self("apply", str(spec), "--json", *words, code=code)
        return json.loads(done.stdout)

    def spec(self, text: str, name: str = "exp.yaml") -> Path:
        file = self.folder / name
        file.write_text(text)
        return file


@pytest.fixture
def local(tmp_path) -> Cli:
    needs_root_and_memory_group()
    return Cli(tmp_path, ["--state-dir", str(tmp_path / "state")])


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    stop_sshd(server)


@pytest.fixture
def ssh(tmp_path, sshd) -> Cli:
    needs_root_and_memory_group()
    options = sshd.options(tmp_path)
    (tmp_path / "hosts.yaml").write_text(
        json.dumps(
            {
                "hosts": {
                    "board": {
                        "address": options.host,
                        "port": options.port,
                        "user": options.user,
                        "key": str(options.key),
                        "python": sys.executable,
                    }
                }
            }
        )
    )
    return Cli(
        tmp_path,
        [
            "-H", "board", "-i", str(tmp_path / "hosts.yaml"),
            "--known-hosts", str(options.known_hosts),
            "--ssh-config", str(options.ssh_config),
            "--state-dir", str(tmp_path / "state"),
        ],
    )  # fmt: skip


@pytest.fixture(params=["local", "ssh"])
def cli(request) -> Cli:
    return request.getfixturevalue(request.param)


def groups(folder: Path | None = None) -> set[str]:
    """Every memory cgroup of ours, or those of the runs recorded below a folder."""
    names = ["runner*"]
    if folder is not None:
        names = [f"runner-{run.parent.name[-6:]}" for run in folder.rglob("run.json")]
    roots = [root for name in names for top in (MEMORY, MEMORY.parent) for root in top.glob(name)]
    return {str(path) for root in roots for path in (root, *root.rglob("*")) if path.is_dir()}


@pytest.fixture
def unchanged(tmp_path):
    """What the run touches is afterwards as it was before."""
    before = KEY.read_text()
    yield
    assert KEY.read_text() == before
    assert not groups(tmp_path)


class Machine(Cli):
    """The command line, and beside it the host that it reboots."""

    def inside(self, *argv: str) -> str:
        pid = self.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return subprocess.run(
            ["nsenter", "-t", child, "-m", "-p", *argv],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    @property
    def line(self) -> str:
        return self.inside("cat", "/boot/firmware/cmdline.txt")

    @property
    def boot(self) -> str:
        return (self.machine / "boot_id").read_text()


@pytest.fixture
def machine(tmp_path):
    """A host that is a real sshd in a pid and mount namespace; its boots are those of machine.py."""
    needs_root_and_memory_group()
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    folder = tmp_path / "machine"
    folder.mkdir()
    server = start_sshd(
        folder,
        within=("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                sys.executable, str(ROOT / "tests" / "apply" / "machine.py"), str(folder)),
    )  # fmt: skip
    options = server.options(tmp_path)
    (tmp_path / "hosts.yaml").write_text(
        json.dumps(
            {
                "hosts": {
                    "board": {
                        "address": options.host, "port": options.port, "user": options.user,
                        "key": str(options.key), "python": sys.executable,
                    }
                }
            }
        )
    )  # fmt: skip
    made = Machine(
        tmp_path,
        [
            "-i", str(tmp_path / "hosts.yaml"), "--known-hosts", str(options.known_hosts),
            "--ssh-config", str(options.ssh_config), "--state-dir", str(tmp_path / "state"),
        ],
    )  # fmt: skip
    made.process, made.machine, made.port = server.process, folder, options.port
    before = Path("/proc/sys/vm/stat_interval").read_text()
    yield made
    server.process.kill()  # and with it pid 1 of its namespace, and all that is in there
    server.process.wait(10)
    assert Path("/proc/sys/vm/stat_interval").read_text() == before
