"""One host of a run, as apply, resume and attach begin with it."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from runner.apply.state import HostRun
from runner.executor.agent import Agent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.apply.interface import HostEntry, Reporter


def host_run(
    entry: HostEntry, run_id: str, reporter: Reporter, record: Any, secrets: Sequence[str] = ()
) -> HostRun:
    """Give the host with its agent; `secrets` are texts to mask in what it says."""
    agent = Agent(
        entry.transport, run_id=run_id, state_dir=entry.state_dir, become=entry.become,
        secrets=secrets, on_quiet=reporter.note,
    )  # fmt: skip
    controller = f"{socket.gethostname()}:{os.getpid()}"
    return HostRun(entry, agent, controller, reporter, record)
