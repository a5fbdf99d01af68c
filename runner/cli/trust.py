"""Whether a spec may run programs here: --trust, what was allowed before, or the user's folders."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import Loaded


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the option."""
    parser.add_argument(
        "--trust", action="store_true",
        help="let the spec run its own programs here (build.command, build.runs); remembered",
    )  # fmt: skip


def trusted(loaded: Loaded, *, asked: bool) -> bool:
    """Say whether a spec is trusted as it is now; ask where somebody is there to answer."""
    from runner.apply.checks.foreign import run_here, trust_hash

    commands = run_here(loaded.experiment)
    if not commands or not all(declared for _, declared in commands):
        return True  # nothing to allow, or nothing that could be
    if any(loaded.path.resolve().is_relative_to(folder) for folder in own_folders()):
        return True
    mark = _folder() / trust_hash(loaded)
    if mark.exists():
        return True
    names = ", ".join(dict.fromkeys(one.runs for one, _ in commands))
    if not asked and sys.stdin.isatty() and sys.stderr.isatty():
        console.say(f"{loaded.path} runs on this machine: {names}")
        print("trust it as it is now? [y/N] ", end="", file=sys.stderr, flush=True)
        asked = sys.stdin.readline().strip().lower() in ("y", "yes")
    if asked:
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text(f"{loaded.path.resolve()}\n{names}\n", encoding="utf-8")
    return asked


def _folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return root / "runner" / "trusted"


def own_folders() -> list[Path]:
    """Give `trusted_folders` of ~/.config/runner/config.toml; none without the file."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".config"
    file = root / "runner" / "config.toml"
    try:
        folders = tomllib.loads(file.read_text(encoding="utf-8")).get("trusted_folders", [])
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as wrong:
        raise SpecError(
            f"{file}: {wrong}", fix='write trusted_folders = ["~/experiments"]'
        ) from None
    if not isinstance(folders, list) or not all(isinstance(one, str) for one in folders):
        raise SpecError(f"{file}: trusted_folders is not a list of paths", fix="write a list")
    return [Path(one).expanduser().resolve() for one in folders]
