"""Programs that were built for a run, as run.json keeps them."""

from __future__ import annotations

import msgspec


class Built(msgspec.Struct, frozen=True):
    """A program that was built, without paths of the machine that built it."""

    sha256: str = ""
    size: int | None = None
    build_id: str = ""
    command: str = ""
    stderr: str = ""
    seconds: float | None = None
    toolchain: str = ""
    how: str = ""
    sections: dict[str, int] = {}
    stripped: bool | None = None
    dynamic: bool | None = None
    machine: str = ""
    tools: dict[str, str] = {}
    """Of a build by command: what each tool says of its version."""
    source: str = ""
    """The git commit that was built; `COMMIT+HASH` where files differ from it."""


class LaidOut(msgspec.Struct, frozen=True):
    """One layout of the programs of a run."""

    link: int | None = None
    """Seed that the linker ordered functions by; None where it could not."""
    padding: int = 0
    """Bytes of environment that moved the stack."""
    builds: dict[str, str] = {}
    """SHA-256 of the program by treatment."""
