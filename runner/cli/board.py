"""`runner board build|up|list|ssh|down`: Arm boards without a board, under QEMU."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from runner.board.names import MACHINES, PREDEFINED
from runner.cli import console
from runner.errors import HostBusy, RunnerError

if TYPE_CHECKING:
    from runner.board.names import Board


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.epilog = (
        f"{', '.join(PREDEFINED)} need no configuration: `runner apply EXP -H virtual` starts "
        "the board. Its times mean nothing; memory, sizes and counts do."
    )
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = commands.add_parser("build", help="make the image (root, once, about 6 minutes)")
    up = commands.add_parser("up", help="start a board, or attach to it")
    for sub in (build, up):
        sub.add_argument("--mirror", help="Debian archive (default: this machine's apt source)")
    up.add_argument("board", metavar="NAME", nargs="?", help="default: virtual")
    up.add_argument("--name", help="the same, as an option")
    up.add_argument("--machine", choices=MACHINES, help="default: virt")
    up.add_argument("--cgroup", choices=("v1", "v2"), help="default: v2")
    up.add_argument(
        "--memory-controller", choices=("on", "off"),
        help="off: cgroup_disable=memory, as Raspberry Pi OS boots until told otherwise",
    )  # fmt: skip
    up.add_argument("--memory", metavar="SIZE", help="default: 4G")
    up.add_argument("--cpus", type=int, help="default: 4")
    commands.add_parser("list", help="boards that were started, also by somebody since killed")
    ssh = commands.add_parser("ssh", help="log in, or run a command")
    ssh.add_argument(
        "board", metavar="[USER@]NAME", help="USER: pi (may use sudo), guest (may not), root"
    )
    ssh.add_argument("words", metavar="COMMAND", nargs=argparse.REMAINDER)
    down = commands.add_parser("down", help="end a board; what it has written is removed")
    down.add_argument("boards", metavar="NAME", nargs="*")
    down.add_argument("--all", action="store_true", help="every board of this user")
    down.add_argument("--force", action="store_true", help="also one that a command works on")


def run(args: argparse.Namespace) -> int:
    """Run the subcommand."""
    action = {"build": _build, "up": _up, "list": _list, "ssh": _ssh, "down": _down}
    return action[args.action](args)


def _build(args: argparse.Namespace) -> int:
    from runner.board import image

    console.out(str(image.build(console.say, mirror=args.mirror).folder))
    return 0


def _up(args: argparse.Namespace) -> int:
    from runner.board import qemu

    entry = qemu.up(asked(args), console.say, mirror=args.mirror)
    console.out(f"{entry.board.name}: on, port {entry.port}, pid {entry.pid}")
    return 0


def asked(args: argparse.Namespace) -> Board:
    """Give the board of a command line: one that has the name already, or the defaults, changed."""
    from dataclasses import replace

    from runner.board import names, registry

    name = args.name or args.board or "virtual"
    known = registry.find(name)
    board = PREDEFINED.get(name) or (known.board if known else names.Board(name))
    if args.machine == "raspi3b" and board.machine != "raspi3b":
        board = names.pi3(name)
    elif args.machine:
        board = replace(board, machine=args.machine)
    if args.cgroup:
        board = replace(board, cgroup=1 if args.cgroup == "v1" else 2)
    if args.memory_controller:
        board = replace(board, memory_controller=args.memory_controller == "on")
    if args.memory:
        board = replace(board, memory_mib=names.memory(args.memory))
    return replace(board, cpus=args.cpus) if args.cpus else board


def _list(_: argparse.Namespace) -> int:
    from runner.board import registry

    entries = registry.entries()
    if not entries:
        console.say(f"no board yet: `runner board up {next(iter(PREDEFINED))}` starts one")
    for entry in entries:
        board = entry.board
        state = "reboots" if entry.on else "off"
        if entry.pid:
            state = f"on, port {entry.port}, pid {entry.pid}"
        memory = "" if board.memory_controller else ", memory controller off"
        console.out(
            f"{board.name}: {state}; {board.machine}, {board.memory_mib} MiB, "
            f"{board.cpus} CPUs, cgroup v{board.cgroup}{memory}"
        )
    return 0


def _ssh(args: argparse.Namespace) -> int:
    from runner.board import access, names, registry

    user, _, name = args.board.rpartition("@")
    entry = registry.find(name)
    if entry is None or not entry.on:
        raise RunnerError(f"{name} is not on", fix=f"runner board up {name}")
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    argv = access.ssh(entry, user or names.USER, ask=not words)
    os.execvp(argv[0], [*argv, *words])  # noqa: S606 - the terminal is ssh's from here on


def _meant(name: str) -> bool:
    """Ask whether a board is to be ended under what works on it; no, where nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    console.say(f"{name}: a command works on this board; end it all the same? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _down(args: argparse.Namespace) -> int:
    from runner.board import paths, qemu, registry

    names = list(args.boards)
    if args.all and paths.running().is_dir():
        names = [folder.name for folder in paths.running().iterdir() if folder.is_dir()]
    elif not names and not args.all:
        on = [entry.board.name for entry in registry.entries()]
        if len(on) != 1:
            raise RunnerError(
                f"which board? {', '.join(on) or 'none was started'}",
                fix="name it, or say --all",
            )
        names = on
    code = 0
    for name in names:
        entry = registry.find(name)
        if entry is not None and registry.is_used(entry) and not (args.force or _meant(name)):
            raise HostBusy(
                f"{name}: a command works on this board, and what it has written is not kept",
                fix=f"wait for it to end, or: runner board down {name} --force",
            )
        if qemu.down(name):
            console.out(f"{name}: down")
        else:
            console.error(f"no board {name}", "runner board list")
            code = 2
    return code
