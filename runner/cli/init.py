"""`runner init [FILE]`: a commented spec to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, default=Path("experiment.yaml"),
        help="default: experiment.yaml",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(args: argparse.Namespace) -> int:
    """Write the starter; a file that is there is left alone."""
    from runner import resources_path

    text = (resources_path.templates() / "starter.yaml").read_text(encoding="utf-8")
    file: Path = args.file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w" if args.force else "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise SpecError(f"{file} is there already", fix="name another, or --force") from None
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror or error}", fix="name another") from error
    console.out(str(file))
    console.say(f"next: runner plan {file}, then runner apply {file}")
    return 0
