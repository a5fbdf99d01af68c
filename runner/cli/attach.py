"""`runner attach [RUN]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, console
from runner.cli.terminal import Terminal

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help="folder or run-id (default: the newest unfinished)"
    )
    common.add_host(parser)
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was ok, too")
    parser.add_argument("-q", "--quiet", action="store_true", help="results only")


def run(args: argparse.Namespace) -> int:
    """Complete the run's record, put its hosts back, write its report."""
    import json

    from runner.apply.attach import attach, unfinished
    from runner.cli.outcome import as_json, show
    from runner.store.runs import find

    root = common.reports_dir(args)
    folder = find(root, args.run) if args.run else unfinished(root)
    quiet = args.quiet or args.json
    terminal = Terminal(quiet=quiet, verbose=args.verbose, progress=console.Progress(quiet=quiet))
    terminal.phase(f"run {folder.id} of {folder.experiment}")
    names = list(folder.manifest.hosts or ["local"])
    hosts = common.entries(args, common.inventory_of(args, None), names)
    try:
        outcome = attach(folder, hosts, terminal)
    finally:
        terminal.progress.clear()
        for host in hosts.values():
            host.transport.close()
    if args.json:
        console.out(json.dumps(as_json(outcome), ensure_ascii=False))
    else:
        show(outcome)
    return outcome.code
