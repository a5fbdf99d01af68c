"""`runner doctor HOST`."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from runner.cli import common, console

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import HostEntry

COLOURS = {"lacking": "failed", "advice": "changed", "ok": "ok"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", default=[], help="default: local")
    common.add_host(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what is fine, too")


def run(args: argparse.Namespace) -> int:
    """Say what each host lacks; 2 where something is lacking, 0 for advice only."""
    from runner.analysis.runs.doctor import examine
    from runner.executor.agent import Agent
    from runner.executor.probe import probe

    by_host = {}

    def ask(host: HostEntry) -> None:
        agent = Agent(host.transport, run_id="doctor", state_dir=host.state_dir, become=host.become)
        seen = probe(agent)
        by_host[host.name] = examine(
            seen.facts,
            root=seen.host.root,
            busy=seen.host.busy,
            journal_entries=seen.host.journal_entries,
            name=host.name,
        )

    code = common.at_each(args, ask)
    lacking = sum(check.level == "lacking" for checks in by_host.values() for check in checks)
    if args.json:
        data = {
            name: [dataclasses.asdict(one) for one in checks] for name, checks in by_host.items()
        }
        console.out(json.dumps(data, ensure_ascii=False, indent=1))
        return code or (2 if lacking else 0)
    for name, checks in by_host.items():
        for check in checks:
            if check.level != "ok" or args.verbose:
                level = console.colour(check.level.ljust(8), COLOURS[check.level])
                console.out(f"{name}  {level} {check.name}: {check.found}")
                if check.fix:
                    console.out(f"{' ' * len(name)}           fix: {check.fix}")
        fine = sum(check.level == "ok" for check in checks)
        console.out(f"{name}  {fine} of {len(checks)} checks are fine")
    return code or (2 if lacking else 0)
