"""`runner apply --watch [PORT]`: the run's page while it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from runner.apply.interface import HostEntry, Loaded
    from runner.store.record import RunFolder


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the option."""
    parser.add_argument(
        "--watch", metavar="PORT", nargs="?", const="0",
        help="serve the run's page on this machine until it ends, read only, at the address that "
        "is printed (default: a free port)",
    )  # fmt: skip


def name_specs(args: argparse.Namespace) -> None:
    """Take a spec after `--watch` for a spec; SpecError for what is no port either."""
    if args.watch is None or args.watch.isdecimal():
        return
    if Path(args.watch).suffix not in {".yaml", ".yml"}:
        raise SpecError(f"--watch {args.watch} is not a port", fix="a number, or nothing at all")
    args.specs, args.watch = [args.watch, *args.specs], "0"


class Watched:
    """A server that shows one run, from when it has a record to its end."""

    def __init__(self, port: int, spec: Loaded) -> None:
        from runner.apply.watching.server import WatchServer

        self._spec = spec
        self._server = WatchServer(port)

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._server.url

    def began(self, folder: RunFolder) -> None:
        """Show the record of the run."""
        from runner.apply.watching.live_page import LivePage

        self._server.show(LivePage(folder, self._spec.experiment))

    def close(self) -> None:
        """End it with the run."""
        self._server.close()


def of(args: argparse.Namespace, spec: Loaded, hosts: Mapping[str, HostEntry]) -> Watched | None:
    """Begin to serve and say where, where it is asked for; SpecError where it cannot be."""
    if args.watch is None:
        return None
    if args.check:
        raise SpecError("--check records nothing to --watch", fix="leave one of them out")
    watched = Watched(int(args.watch), spec)
    console.say(f"watch: {watched.url}")
    here = [name for name, host in hosts.items() if host.local]
    if here:
        console.say(
            f"   {', '.join(here)} is this machine: making the page costs CPU time that trials "
            "lack, so open it between them, or measure another host"
        )
    return watched
