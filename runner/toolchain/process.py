"""Running a program and naming cache folders: the toolchain's only ways out."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_FOUND = 127
TIMED_OUT = 124


@dataclass(frozen=True)
class Ran:
    """What came of one program."""

    code: int
    stdout: str
    stderr: str

    @property
    def tail(self) -> str:
        """Last lines of what it said, for an error message."""
        lines = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return "\n".join(lines[-12:])


class Run(Protocol):
    """Runs one argv without a shell; a program that cannot start has code 127."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        timeout_s: float = 60.0,
    ) -> Ran:
        """Wait for the program and return what it printed."""
        ...


def run_process(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    timeout_s: float = 60.0,
) -> Ran:
    """Run `argv` as it is, with exactly `env`."""
    try:
        done = subprocess.run(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(TIMED_OUT, "", f"{argv[0]}: no end after {timeout_s:g} s")
    except OSError as error:
        return Ran(NOT_FOUND, "", f"{argv[0]}: {error.strerror or error}")
    return Ran(done.returncode, done.stdout, done.stderr)


def default_cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return `$XDG_CACHE_HOME/runner`, or `~/.cache/runner`."""
    env = os.environ if environ is None else environ
    base = env.get("XDG_CACHE_HOME", "")
    # the XDG specification: a relative path is to be ignored
    root = Path(base) if base.startswith("/") else Path(env.get("HOME") or Path.home()) / ".cache"
    return root / "runner"


def sha256_of(path: Path) -> str:
    """Hash a file without holding it in memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old one or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
