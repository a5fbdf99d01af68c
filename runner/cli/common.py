"""What several commands share: reading the spec, finding the hosts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import RunnerError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from runner.apply.interface import HostEntry, Loaded
    from runner.specfile.inventory import Inventory

REPORTS = "reports"
DEFAULT_LEASE_S = 900.0


def add_spec(
    parser: argparse.ArgumentParser, *, many: bool = False, specs: bool = True, nargs: str = "+"
) -> None:
    """Add the spec argument, and what fills in its variables."""
    if not specs:
        pass
    elif many:
        parser.add_argument("specs", metavar="EXP", nargs=nargs, help="experiment spec (YAML)")
    else:
        parser.add_argument("spec", metavar="EXP", help="experiment spec (YAML)")
    parser.add_argument(
        "-e", "--extra-vars", action="append", default=[], metavar="KEY=VALUE",
        help="variable for {{ key }} in the spec; wins over all others",
    )  # fmt: skip
    parser.add_argument(
        "--allow-secret", action="append", default=[], metavar="PATH", type=Path,
        help="file or folder that `!secret file:` of the spec may be read from",
    )  # fmt: skip
    add_host(parser)


def add_host(parser: argparse.ArgumentParser) -> None:
    """Add what chooses a host and the way to it."""
    parser.add_argument("-H", "--host", help="host to run on, in place of the spec's server")
    parser.add_argument(
        "-i", "--inventory", type=Path,
        help="hosts.yaml, or an Ansible inventory (default: hosts.yaml beside the spec)",
    )  # fmt: skip
    parser.add_argument(
        "--accept-new-host-key", action="store_true",
        help="trust the key of a host that known_hosts has not got, once, and remember it",
    )  # fmt: skip
    parser.add_argument(
        "--ephemeral", action="store_true",
        help="end a virtual board that this command started, with all it has written",
    )  # fmt: skip
    parser.add_argument("--ssh-config", type=Path, help=argparse_suppress())
    parser.add_argument("--known-hosts", type=Path, help=argparse_suppress())
    parser.add_argument("--state-dir", help=argparse_suppress())


def argparse_suppress() -> str:
    """Hide an option that is for tests and odd set-ups."""
    import argparse

    return argparse.SUPPRESS


def variables(args: argparse.Namespace) -> dict[str, object]:
    """Read -e key=value."""
    values: dict[str, object] = {}
    for word in args.extra_vars:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise SpecError(f"-e {word}: not KEY=VALUE", fix="for example -e port=8080")
        values[key] = value
    return values


def inventory_of(args: argparse.Namespace, beside: Path | None) -> Inventory:
    """Read the inventory that is named, or hosts.yaml beside the spec, or none."""
    from runner.specfile import inventory

    file = inventory_file(args, beside)
    if file is None:
        return inventory.Inventory()
    # one that is named may be a program; one that was only found is not run
    named = args.inventory is not None
    return inventory.load(file, run=named, secrets=getattr(args, "allow_secret", ()))


def inventory_file(args: argparse.Namespace, beside: Path | None) -> Path | None:
    """Find the inventory that is named, or hosts.yaml beside the spec or here; None without."""
    from runner.specfile import inventory

    if args.inventory is not None:
        return Path(args.inventory)
    candidates = (inventory.find_inventory(folder) for folder in (beside, Path.cwd()) if folder)
    return next((file for file in candidates if file is not None), None)


def secret_places(args: argparse.Namespace, beside: Path) -> list[Path]:
    """Name what a spec's secrets may be read from: --allow-secret, and the inventory's folder."""
    file = inventory_file(args, beside)
    folder = None if file is None else file if file.is_dir() else file.parent
    return [*getattr(args, "allow_secret", ()), *([] if folder is None else [folder])]


def read_spec(args: argparse.Namespace, path: str) -> tuple[Loaded, Inventory]:
    """Read a spec with its inventory; SpecError holds every fault."""
    from runner.apply.interface import Loaded
    from runner.spec.expand import expand, spec_hash
    from runner.specfile import load_document

    file = Path(path)
    known = inventory_of(args, file.parent)
    limit = getattr(args, "limit", None)
    read = load_document(
        file, variables=variables(args), inventory=known, host=args.host, limit=limit,
        secrets=secret_places(args, file.parent),
    )  # fmt: skip
    experiment, text = read.experiment, read.document.text
    return Loaded(experiment, text, file, expand(experiment), spec_hash(experiment)), known


def one_host(known: Inventory, pattern: str) -> str:
    """Give the one host that a name, a group or a pattern means; SpecError where it is not one."""
    names = known.names(pattern)
    if len(names) != 1:
        shown = ", ".join(names[:10]) if names else "no host"
        raise SpecError(f"{pattern} is {shown}: one host is asked for", fix="name one of them")
    return names[0]


def chosen(args: argparse.Namespace, known: Inventory) -> tuple[str, ...]:
    """Give the hosts that HOST…, or -H, name: groups and patterns too."""
    words = args.hosts or [args.host or "local"]
    return tuple(dict.fromkeys(name for word in words for name in known.names(word)))


def at_each(args: argparse.Namespace, work: Callable[[HostEntry], None]) -> int:
    """Do it with every host that HOST… names; one that cannot be asked does not hide the others.

    Gives the exit code of the first fault; raises it where only one host is named.
    """
    code = 0
    known = inventory_of(args, None)
    hosts = entries(args, known, chosen(args, known))
    for host in hosts.values():
        try:
            work(host)
        except RunnerError as error:
            if len(hosts) < 2:
                raise
            console.error(error.message, error.fix)
            code = code or error.exit_code
        finally:
            host.transport.close()
    return code


def entries(
    args: argparse.Namespace, known: Inventory, names: Iterable[str]
) -> dict[str, HostEntry]:
    """Give the way into each host: this machine, or ssh."""
    return {name: entry(args, known, name) for name in names}


def entry(args: argparse.Namespace, known: Inventory, name: str) -> HostEntry:
    """Give the way into one host: `local`, a name of the inventory, or of ~/.ssh/config."""
    from runner.apply.interface import HostEntry

    host = known.host(name)
    if name not in known.hosts and _is_board(name):
        return _board(args, name)
    if host.local:
        from runner.transports.local import LocalTransport

        return HostEntry(
            name,
            LocalTransport(name=name, python=host.python),
            host.become,
            args.state_dir or host.state,
            local=True,
            vars=host.vars,
            power=host.power,
        )
    from runner.transports.ssh import SshTransport
    from runner.transports.ssh_options import SshOptions

    options = SshOptions(
        host=host.address or name,
        user=host.user,
        port=host.port,
        key=Path(host.key).expanduser() if host.key else None,
        known_hosts=args.known_hosts,
        ssh_config=args.ssh_config,
        accept_new_host_key=args.accept_new_host_key,
        python=host.python or "python3",
        args=(*host.ssh_args, *(("-J", host.jump) if host.jump else ())),
    )
    return HostEntry(
        name,
        SshTransport(options, name=name),
        host.become,
        args.state_dir or host.state,
        lease_s=host.lease_s or DEFAULT_LEASE_S,
        vars=host.vars,
        address=host.address or name,
        power=host.power,
    )


def _is_board(name: str) -> bool:
    """Whether a name that is in no inventory is a virtual board's."""
    from runner.board import names, registry

    return name in names.PREDEFINED or registry.find(name) is not None


def _board(args: argparse.Namespace, name: str) -> HostEntry:
    """Start a virtual board, or attach to it, and give the way in."""
    from runner.apply.interface import HostEntry
    from runner.board import access, names, qemu, registry
    from runner.cli import console
    from runner.transports.ssh import SshTransport
    from runner.transports.ssh_options import SshOptions

    started = registry.find(name)
    board = started.board if started is not None else names.PREDEFINED[name]
    on = qemu.up(board, console.say)
    registry.use(on)
    if args.ephemeral and started is None:
        import atexit

        atexit.register(qemu.down, name)
    options = SshOptions(
        host=access.LOOPBACK,
        user=names.USER,
        port=on.port,
        key=access.key(),
        known_hosts=access.known_hosts(on),
        ssh_config=Path(os.devnull),
        use_agent=False,
    )
    # pi may use sudo, as on a Raspberry Pi
    return HostEntry(
        name, SshTransport(options, name=name), become=True, state_dir=args.state_dir,
        lease_s=DEFAULT_LEASE_S,
    )  # fmt: skip


def cache_dir() -> Path:
    """Where toolchains and builds are kept."""
    from runner.toolchain import default_cache_dir

    return default_cache_dir()


def reports_dir(args: argparse.Namespace) -> Path:
    """Where runs are recorded: --reports, $RUNNER_REPORTS, reports/ of this folder."""
    chosen = getattr(args, "reports", None) or os.environ.get("RUNNER_REPORTS") or REPORTS
    return Path(chosen)
