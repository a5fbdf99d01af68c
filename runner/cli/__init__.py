"""The command line: the only package that prints or exits.

A command is one module with `configure(parser)` and `run(args) -> int`, imported
only when it is the one asked for: `runner --help` imports nothing but argparse.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from runner.version import __version__

if TYPE_CHECKING:
    from types import ModuleType

COMMANDS: dict[str, str] = {
    "apply": "bring the hosts to the declared state, run the experiment, restore, report",
    "plan": "what would change, how long it takes, what its repetitions can decide",
    "validate": "every fault of a spec, with its place",
    "lint": "methodology faults of a spec",
    "explain": "why a lint rule exists and how to mend what it finds",
    "restore": "put a host back exactly as it was",
    "status": "what is applied on a host, by which run, and what has drifted since",
    "attach": "follow a trial that outlived its controller",
    "report": "rebuild a run's report from its record, offline",
    "migrate": "long trials of older records as columns, read by column",
    "compare": "two runs, or two treatments of a run",
    "bisect": "which commit made a metric worse, though every measurement is noisy",
    "reproduce": "somebody's run again, here or on a host: their numbers against ours",
    "why": "which of what differs between two runs explains the gap, by varying it here",
    "verify": "judge the newest run of each spec; exit 1 where a required verdict fails",
    "claims": "every published number, its experiment, its latest verdict",
    "facts": "what a host is",
    "doctor": "what a host lacks for experiments, with the exact fix",
    "hosts": "the hosts of the inventory",
    "lab": "many boards behind a queue: Slurm on a gateway",
    "board": "a virtual Arm board under QEMU, for those without one",
    "init": "start a new spec",
    "demo": "the experiment that comes with runner, on this machine",
    "bench": "commands side by side, interleaved, in a controlled environment",
    "completion": "completion of this command line for a shell",
    "schema": "JSON Schema of the spec language",
    "kinds": "resource kinds, metric sources and load generators",
    "export": "a run's numbers for other tools",
    "site": "reports/ as a static site",
    "query": "one SQL query over every run",
    "history": "a metric over runs, and where it changed",
}


def available() -> dict[str, str]:
    """Give the commands whose module is present."""
    from importlib.util import find_spec

    return {name: text for name, text in COMMANDS.items() if find_spec(f"{__name__}.{name}")}


def main(argv: list[str] | None = None) -> int:
    """Run one command; give its exit code. Known errors are one message, never a traceback."""
    words = sys.argv[1:] if argv is None else argv
    # start-up cost: pydantic would read the metadata of every installed package to find
    # plugins, and the many objects that imports make are not garbage
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(50_000, 20, 20)
    name = next((word for word in words if not word.startswith("-")), None)
    parser, module = _parser({name} if name is not None else set())
    try:
        args = parser.parse_args(words)
    except SystemExit as stop:
        # argparse exits 2 for a wrong command line; 2 means a failed trial here
        return 64 if stop.code == 2 else int(stop.code or 0)
    if module is None:  # pragma: no cover - argparse has refused it already
        return 64
    return _guarded(module, args)


def _parser(wanted: set[str]) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    """Make the parser with the options of the `wanted` commands; give the last one's module."""
    parser = argparse.ArgumentParser(
        prog="runner",
        description="Declarative systems experiments on small Arm boards.",
        epilog="exit codes: 0 done · 1 a required verdict failed · 2 a resource or trial failed · "
        "3 spec invalid · 4 host unreachable · 5 host busy · 99 interrupted (state restored)",
    )
    parser.add_argument("--version", action=Version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    module = None
    for command, text in available().items():
        sub = commands.add_parser(command, help=text, description=text[0].upper() + text[1:] + ".")
        if command in wanted:
            module = import_module(f"{__name__}.{command}")
            module.configure(sub)
    return parser, module


def whole_parser() -> argparse.ArgumentParser:
    """Give the parser with every command's options, for completion and the reference."""
    return _parser(set(COMMANDS))[0]


class Version(argparse.Action):
    """`--version`: ours, and the revision where we run from a checkout."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and the revision")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and exit."""
        from runner.store.provenance import own_revision

        revision = own_revision()
        print(f"runner {__version__}{f' ({revision})' if revision else ''}")
        parser.exit()


def _guarded(module: object, args: argparse.Namespace) -> int:
    from runner.errors import RunnerError

    try:
        code: int = module.run(args)  # type: ignore[attr-defined]
    except RunnerError as error:
        from runner.cli import console

        console.error(error.message, error.fix)
        return error.exit_code
    except BrokenPipeError:
        # the reader of our output is gone (`| head`): nothing is left to say
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 99
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user
        return _internal(error)
    return code


def _internal(error: Exception) -> int:
    """A fault of ours: one message, the traceback in a file, exit 70 (EX_SOFTWARE)."""
    import os
    import tempfile
    import traceback

    from runner.cli import console

    if os.environ.get("RUNNER_TRACEBACK"):
        raise error
    with tempfile.NamedTemporaryFile(
        "w", prefix="runner-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    console.error(
        f"a fault of runner itself: {type(error).__name__}: {error}",
        f"report it with {file.name}; `runner restore` puts the host back if it has to be",
    )
    return 70
