"""Secrets: read at the last moment, from the environment or a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def revealer(
    folder: Path, environ: Mapping[str, str] | None = None, *, allowed: Sequence[Path] | None = None
) -> Callable[[tuple[tuple[str, str], ...]], str]:
    """Make the function that reads a secret's sources; files are relative to the spec.

    `allowed` are the files and folders that the user lets a spec read from, links followed;
    None where the text that names them is the user's own.
    """
    roots = None if allowed is None else [root.expanduser().resolve() for root in allowed]

    def reveal(parts: tuple[tuple[str, str], ...]) -> str:
        return "".join(_part(kind, what) for kind, what in parts)

    def _part(kind: str, what: str) -> str:
        if kind == "text":
            return what
        if kind == "env":
            known = os.environ if environ is None else environ
            if what not in known:
                raise SpecError(
                    f"the secret env:{what} is not set", fix=f"export {what} before the run"
                )
            return known[what]
        path = folder / Path(what).expanduser()
        real = path.resolve()
        if roots is not None and not any(real.is_relative_to(root) for root in roots):
            raise SpecError(
                f"the secret file:{what} may not be read: a spec names it, and that sends it away",
                fix=f"if that is meant: --allow-secret {path}",
            )
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as wrong:
            said = wrong.strerror if isinstance(wrong, OSError) else "is not UTF-8"
            raise SpecError(f"the secret file:{what} cannot be read: {said}") from None

    return reveal
