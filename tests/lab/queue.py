"""Slurm as it is, started by what `runner lab init` says, with four boards behind it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

from tests.apply.conftest import Cli
from tests.apply.machines import Machine, lab_of
from tests.waiting import until
from tests.workers import free_port

BOARDS = ("pi1", "pi2", "pi3", "pi4")


def addressed() -> None:
    """See that some address is no loopback's: without, Slurm resolves nothing (AI_ADDRCONFIG)."""
    said = subprocess.run(["ip", "-o", "addr", "show"], capture_output=True, text=True, check=True)
    if not any(" inet " in line and " 127." not in line for line in said.stdout.splitlines()):
        subprocess.run(["ip", "addr", "add", "192.0.2.1/32", "dev", "lo"], check=True)


class Queue:
    """A gateway: munged, slurmctld, a slurmd for each board; the boards; the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lab = folder, folder / "lab"
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.begun = 0
        addressed()
        self.boards = {name: Machine(folder / name) for name in BOARDS}
        tags = {name: {"tags": ["pi4", "4g"]} for name in BOARDS}
        self.cli: Cli = lab_of(folder, self.boards, **tags)
        said = self("init", "lab", "--port", str(free_port()), "--offline")
        self.commands = [shlex.split(line) for line in said.stdout.splitlines() if line[0] != "#"]
        try:
            for argv in self.commands:
                self.start(argv)
            self.ready()
        except BaseException:
            self.stop()
            raise

    def __call__(self, action: str, *words: str, code: int | None = 0):
        own = self.cli.words if action in ("init", "submit") else []
        argv = [*self.cli.argv("report")[:-1], "lab", action, *words, *own, "--lab", str(self.lab)]
        done = subprocess.run(
            argv, cwd=self.folder, env=self.env(), capture_output=True, text=True, timeout=110,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if code is not None:
            assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def env(self) -> dict[str, str]:
        # what jobs start is what the tests run
        kept = {k: v for k, v in self.cli.env().items() if not k.startswith("SLURM")}
        root = str(Path(__file__).parents[2])
        return kept | {"PYTHONPATH": root}

    def start(self, argv: list[str]) -> None:
        """Start a daemon in the foreground, to be ended with the test; munged forks by itself."""
        name = argv[0] if argv[0] != "slurmd" else f"slurmd {argv[-1]}"
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        more = {"munged": ["--foreground"], "slurmctld": ["-D"], "slurmd": ["-D"]}[argv[0]]
        with (self.folder / "daemons.log").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                [*argv, *more], env={**self.env(), "PATH": path}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        if argv[0] == "munged":
            until((self.lab / "munge.socket").exists)

    def kill(self, name: str) -> None:
        self.daemons[name].kill()
        self.daemons[name].wait(10)

    def again(self, name: str) -> None:
        """Start a daemon anew; a controller that lost the numbers of its jobs begins above them."""
        if name == "slurmctld":
            self.begun += 1
            conf = self.lab / "slurm.conf"
            kept = [one for one in conf.read_text().splitlines() if "FirstJobId" not in one]
            conf.write_text("\n".join([*kept, f"FirstJobId={1000 * self.begun}", ""]))
        self.start(next(c for c in self.commands if c[0] == name or f"slurmd {c[-1]}" == name))

    def slurm(self, *argv: str) -> str:
        env = {**self.env(), "SLURM_CONF": str(self.lab / "slurm.conf")}
        done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
        return done.stdout

    def ready(self) -> None:
        until(lambda: self.slurm("sinfo", "-h", "-N", "-o", "%T").split().count("idle") == 4)

    def known(self) -> None:
        """Wait until the controller has written down that all four jobs run: it does so late."""
        until(lambda: self.slurm("squeue", "-h", "-o", "%T").split().count("RUNNING") == 4)
        running = time.time()
        until(lambda: (self.lab / "slurmctld" / "job_state").stat().st_mtime > running)

    def forgive(self) -> None:
        """What an administrator does once he has looked at a node that the controller drained.

        A controller killed before it wrote down that a job runs starts it a second time, and
        drains the node that will not have it ("Duplicate jobid").
        """
        drained = self.slurm("sinfo", "-h", "-N", "-t", "drain", "-o", "%N").split()
        for node in drained:
            self.slurm("scontrol", "update", f"nodename={node}", "state=resume")

    def clean(self) -> None:
        """Have no job and four idle nodes: one that was started twice may wait still."""
        self.slurm("scancel", "-u", "root")
        until(lambda: not self.slurm("squeue", "-h").strip())
        self.forgive()
        self.ready()

    def status(self, name: str) -> list[dict]:
        (found,) = json.loads(self("status", name, "--json").stdout).values()
        return found

    def finish(self, name: str, spec: Path, within_s: float = 100.0) -> None:
        """Queue what was lost, as often as it takes, until every share is done."""
        deadline = time.monotonic() + within_s
        while any(share["state"] != "done" for share in self.status(name)):
            assert time.monotonic() < deadline, self.said(name)
            time.sleep(2)
            self.forgive()
            self("submit", str(spec), "--again", name, code=None)

    def said(self, name: str) -> str:
        logs = (self.lab / "submissions" / name).glob("share-*/job-*.log")
        texts = [f"{path.parent.name}: {path.read_text()[-1500:]}" for path in logs]
        gone = {name: one.poll() for name, one in self.daemons.items() if one.poll() is not None}
        ends = [f"{path.name}: {path.read_text(errors='replace')[-1500:]}"
                for path in [*self.lab.glob("slurm*.log"), self.folder / "daemons.log"]
                if path.exists()]  # fmt: skip
        return "\n".join([
            json.dumps(self.status(name)), self.slurm("squeue"), self.slurm("sinfo", "-R"),
            f"ended daemons: {gone}", *texts, *ends,
        ])  # fmt: skip

    def stop(self) -> None:
        self.slurm("scancel", "-u", "root")
        for process in reversed(self.daemons.values()):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
        for board in self.boards.values():
            board.stop()


def cut(board: Machine, seconds: float) -> None:
    """Cut a board's sshd with all its sessions; what runs there goes on, sshd is back later."""
    pids = board.inside("pidof", "sshd").split()
    assert pids, "there is an sshd"
    board.inside("kill", "-9", *pids)
    time.sleep(seconds)
    config = board.folder / "sshd_config"
    subprocess.Popen(
        ["nsenter", "-t", str(board.first), "-m", "-p", "/usr/sbin/sshd", "-f", str(config)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ).wait(10)  # fmt: skip


def stop_submitter(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
