"""`runner facts HOST`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.cli import common, console

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import HostEntry


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", default=[], help="default: local")
    common.add_host(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print everything known of each host; nothing is changed."""
    from runner.executor.agent import Agent
    from runner.executor.probe import probe

    by_host = {}

    def ask(host: HostEntry) -> None:
        agent = Agent(host.transport, run_id="facts", state_dir=host.state_dir, become=host.become)
        by_host[host.name] = probe(agent).facts

    code = common.at_each(args, ask)
    if args.json:
        console.out(json.dumps(by_host, indent=2, ensure_ascii=False, sort_keys=True))
        return code
    for name, facts in by_host.items():
        absences = facts.pop("absent", None)
        absent = absences if isinstance(absences, dict) else {}
        for key in sorted(facts):
            why = f"  ({absent[key]})" if facts[key] is None and key in absent else ""
            console.out(f"{name}  {key} = {facts[key]}{why}")
    return code
