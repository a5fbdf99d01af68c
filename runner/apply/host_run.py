"""One host of a run, as apply, resume and attach begin with it."""

from __future__ import annotations

import copy
import os
import socket
from typing import TYPE_CHECKING, Any

from runner.apply.state import HostRun
from runner.executor.agent import Agent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.apply.interface import HostEntry, Reporter


def host_run(
    entry: HostEntry, run_id: str, reporter: Reporter, record: Any, secrets: Sequence[str] = ()
) -> HostRun:
    """Give the host with its agent; `secrets` are texts to mask in what it says."""
    agent = Agent(
        entry.transport, run_id=run_id, state_dir=entry.state_dir, become=entry.become,
        secrets=secrets, on_quiet=reporter.note, job=_job(),
    )  # fmt: skip
    controller = f"{socket.gethostname()}:{os.getpid()}"
    return HostRun(entry, agent, controller, reporter, record)


def _job() -> int | None:
    """Give the Slurm job that this process is of: the fence of the hosts that it holds."""
    job = os.environ.get("SLURM_JOB_ID", "")
    return int(job) if job.isdecimal() else None


def apart(host: HostRun) -> HostRun:
    """Give a load host for one of the boards that share it: with a conversation of its own."""
    own = copy.copy(host)
    own.agent = copy.copy(host.agent)
    return own


def amiss(runs: Iterable[HostRun]) -> str:
    """Say where what is declared cannot be brought about, as a preview found; empty: nowhere."""
    lacks = [host.name for host in runs if host.counts.failed]
    return f"what is declared cannot be brought about on {', '.join(lacks)}" if lacks else ""
