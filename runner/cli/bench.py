"""`runner bench 'CMD' 'CMD'`: commands side by side, interleaved, in a controlled environment."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import apply, console
from runner.errors import RunnerError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SPEC = "bench.yaml"
DEFAULT_RUNS = 10
METRICS = {
    "wall": {"from": "workload.wall", "unit": "ms", "better": "lower"},
    "user_cpu": {"from": "workload.user_cpu", "unit": "ms", "better": "lower"},
    "system_cpu": {"from": "workload.system_cpu", "unit": "ms", "better": "lower"},
    "max_rss": {"from": "workload.max_rss", "unit": "MiB", "better": "lower"},
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options: the commands, and those of `apply`."""
    parser.add_argument(
        "commands", metavar="CMD", nargs="+", help="a command line, split as a shell would"
    )  # fmt: skip
    parser.add_argument(
        "--runs", type=int, default=DEFAULT_RUNS,
        help=f"executions of each, interleaved (default: {DEFAULT_RUNS})",
    )  # fmt: skip
    parser.add_argument(
        "--system", type=Path, metavar="FILE",
        help="YAML with what a spec has under `system`, set and put back",
    )  # fmt: skip
    parser.add_argument(
        "--spec", type=Path, default=Path(SPEC),
        help=f"where the spec is written, to be kept (default: {SPEC})",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace a spec that is there")
    apply.configure(parser, specs=False)


def run(args: argparse.Namespace) -> int:
    """Write the spec and apply it."""
    file: Path = args.spec
    spec_text = text(args.commands, args.runs, _system(args.system))
    try:
        there = file.read_text(encoding="utf-8") if file.is_file() else spec_text
        if there != spec_text and not args.force:
            raise SpecError(
                f"{file} is there, and is another", fix="name another with --spec, or --force"
            )
        file.write_text(spec_text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunnerError(f"cannot write {file}: {error.strerror or error}") from error
    console.say(f"wrote {file}: edit it, and run it again with runner apply {file}")
    args.specs = [str(file)]
    return apply.run(args)


def text(commands: Sequence[str], runs: int, system: object = None) -> str:
    """Give the spec: one command alone, or each as a level of `command`, the first the baseline."""
    import yaml

    if runs < 1:
        raise SpecError(f"--runs {runs}: at least one", fix=f"--runs {DEFAULT_RUNS}")
    argvs = {command: _argv(command) for command in dict.fromkeys(commands)}
    first = next(iter(argvs))
    spec: dict[str, object] = {
        "schema": "experiment/1",
        "name": "bench",
        "title": " · ".join(argvs),
    }
    if system:
        spec["system"] = system
    spec["workload"] = {"argv": argvs[first], "run": "once"}
    table: dict[str, object] = {"columns": list(METRICS)}
    if len(argvs) > 1:
        spec["factors"] = {
            "command": {name: {"workload": {"argv": argv}} for name, argv in argvs.items()}
        }
        spec["baseline"] = {"command": first}
        table = {"rows": ["command"], "columns": ["wall", "wall.vs_baseline", *list(METRICS)[1:]]}
    spec["repeat"] = {"between": [runs, runs], "order": {"by": "blocks", "seed": 1}}
    spec["metrics"] = METRICS
    spec["report"] = {"table": table}
    return str(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=1000))


def _argv(command: str) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise SpecError(f"{command!r}: {error}", fix="close the quotes") from None
    if not argv:
        raise SpecError("an empty command", fix="runner bench 'gzip -k x' 'xz -k x'")
    if any("{" in word for word in argv):
        raise SpecError(
            f"{command!r} has braces, which a spec fills in",
            fix="put it into a script, or write a spec: runner init --from command",
        )
    return argv


def _system(file: Path | None) -> object:
    if file is None:
        return None
    import yaml

    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecError(f"{file}: {error}", fix="sysctl: {vm.swappiness: 10}") from error
    return document.get("system", document) if isinstance(document, dict) else document
