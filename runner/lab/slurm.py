"""Slurm's own programs: argv and stdin, no shell; what they say in their errors."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WITHIN_S: Final = 60.0
_FIX: Final = "is slurmctld there? start the queue as `runner lab init` says"


@dataclass(frozen=True)
class Job:
    """One job of the queue, as `squeue` shows it."""

    number: int
    name: str
    state: str
    node: str
    reason: str


def _run(folder: Path, argv: Sequence[str], text: str = "") -> str:
    """Run a program with the lab's slurm.conf; HostError with what it said."""
    env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    try:
        done = subprocess.run(
            list(argv), input=text, capture_output=True, text=True, env=env, timeout=WITHIN_S,
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise HostError(
            f"{argv[0]} is not installed",
            fix="sudo apt install slurmctld slurmd slurm-client munge",
        ) from None
    except subprocess.TimeoutExpired:
        raise HostError(f"{argv[0]} did not answer within {WITHIN_S:.0f} s", fix=_FIX) from None
    if done.returncode:
        output = " ".join((done.stderr or done.stdout).split())[-500:]
        raise HostError(f"{argv[0]}: {output or f'exit {done.returncode}'}", fix=_FIX)
    return done.stdout


def submit(
    folder: Path, *, name: str, script: str, cwd: str, log: Path, constraint: str, node: str
) -> int:
    """Queue a job alone on a board; give its number. It is never begun anew by the queue."""
    argv = ["sbatch", "--parsable", "--exclusive", "--no-requeue", "--job-name", name,
            "--chdir", cwd, "--output", f"{log}/job-%j.log", "--open-mode", "append"]  # fmt: skip
    if node:
        argv += ["--nodelist", node]
    elif constraint:
        argv += ["--constraint", constraint]
    return int(_run(folder, argv, script).split(";")[0])


def jobs(folder: Path) -> list[Job]:
    """Give every job that is queued or runs."""
    queued = []
    for line in _run(folder, ["squeue", "--noheader", "--format", "%i|%j|%T|%N|%r"]).splitlines():
        number, name, state, node, reason = [*line.split("|", 4), "", "", "", ""][:5]
        if number.isdecimal():
            queued.append(Job(int(number), name, state, node, reason))
    return queued


def cancel(folder: Path, numbers: Sequence[int]) -> None:
    """End jobs: each stops its trial and puts its board back."""
    if numbers:
        _run(folder, ["scancel", *map(str, numbers)])
