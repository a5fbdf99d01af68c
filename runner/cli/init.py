"""`runner init [FILE] [--from KIND]`: a commented spec to begin with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse

STARTER = "server"
KINDS = {
    "server": "a web server in a memory group, every section explained",
    "nginx": "nginx under a rising number of connections",
    "redis": "Redis under three numbers of clients",
    "go": "a Go server of one's own, built with two settings",
    "command": "two commands side by side, interleaved",
    "bench": "Go benchmarks, two ways to do one thing",
}
SPEC = "experiment.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, default=Path(SPEC), help=f"default: {SPEC}"
    )
    parser.add_argument(
        "--from", dest="kind", choices=KINDS, default=STARTER,
        help="; ".join(f"{name}: {what}" for name, what in KINDS.items()),
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace files that are there")


def run(args: argparse.Namespace) -> int:
    """Write the spec and what it needs beside it; files that are there are left alone."""
    file: Path = args.file
    wanted = _files(args.kind, file)
    there = [str(path) for path in wanted if path.exists()]
    if there and not args.force:
        raise SpecError(f"{', '.join(there)}: there already", fix="name another, or --force")
    try:
        for path, source in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror or error}", fix="name another") from error
    for path in wanted:
        console.out(str(path))
    console.say(f"next: runner plan {file}, then runner apply {file}")
    return 0


def _files(kind: str, file: Path) -> dict[Path, Path]:
    """Give each file to write with the packaged one that it is a copy of; the spec first."""
    from runner import resources_path

    templates = resources_path.templates()
    if kind == STARTER:
        return {file: templates / "starter.yaml"}
    folder = templates / "init" / kind
    beside = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SPEC)
    return {
        file: folder / SPEC,
        **{file.parent / path.relative_to(folder): path for path in beside},
    }
