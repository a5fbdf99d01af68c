"""`runner restore [HOST]`."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console
from runner.cli.terminal import Terminal

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import HostEntry
    from runner.apply.state import HostRun
    from runner.records.host_events import Hold


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", default=[], help="default: local")
    common.add_host(parser)
    parser.add_argument("--force", action="store_true", help="put back drifted values too")
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was ok, too")


def run(args: argparse.Namespace) -> int:
    """Restore each host from its own journal."""
    from runner.apply.state import HostRun
    from runner.errors import HostUnreachable
    from runner.executor.agent import Agent
    from runner.executor.probe import probe

    counts = {}

    def put_back(host: HostEntry) -> None:
        agent = Agent(
            host.transport, run_id="restore", state_dir=host.state_dir, become=host.become
        )
        controller = f"{socket.gethostname()}:{os.getpid()}"
        run = HostRun(host, agent, controller, Terminal(verbose=args.verbose), lambda _: None)
        counts[host.name] = vars(run.counts)
        try:
            gone = dead(probe(agent, facts=False).host.busy)
            restored(run, common.reports_dir(args), force=args.force, gone=gone)
        except HostUnreachable:
            run.counts.unreachable += 1
            raise

    try:
        return common.at_each(args, put_back)
    finally:
        for line in console.recap(counts):
            console.out(line)


def restored(run: HostRun, reports: Path, *, force: bool, gone: str | None) -> None:
    """Restore a host, check it against the records that are here, and note in them what is back."""
    from runner.apply.putback import outstanding
    from runner.records.changes import CellChange
    from runner.store.runs import recent

    open_ = []
    for folder in recent(reports):
        if run.name in folder.manifest.hosts:
            boot_id = (folder.facts.get(run.name) or {}).get("boot_id")
            left = outstanding(folder.changes, run.name, boot_id)
            if left:
                open_.append((folder, left))
                # the newest come first: the oldest knows what was there before all of them
                run.changed = {**run.changed, **left}
    run.restore(force=force, gone=gone)
    for folder, left in open_:
        with folder:
            for name, one in left.items():
                folder.append_change(
                    CellChange(
                        phase="restore", host=run.name, id=name, outcome="ok",
                        after=one.before, why="by `runner restore`",
                    )
                )  # fmt: skip


def dead(busy: Hold | None) -> str | None:
    """Give the run that holds a host if its controller ran here and is no more."""
    if busy is None:
        return None
    where, _, pid = (busy.controller or "").rpartition(":")
    if where != socket.gethostname() or not pid.isdigit() or Path(f"/proc/{pid}").exists():
        return None
    return busy.run
