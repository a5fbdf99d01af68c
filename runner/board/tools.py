"""The programs a board needs, and one apt line for those that are missing."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.board.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SBIN: Final = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Tool:
    """One program, the package it comes in, what it is for."""

    program: str
    package: str
    use: str


RUN: Final = (
    Tool("qemu-system-aarch64", "qemu-system-arm", "the machine"),
    Tool("qemu-img", "qemu-utils", "its disk"),
    Tool("ssh", "openssh-client", "the way in"),
    Tool("ssh-keygen", "openssh-client", "the key to it"),
)
BUILD: Final = (
    *RUN,
    Tool("mmdebstrap", "mmdebstrap", "Debian's packages into a folder"),
    Tool("qemu-aarch64-static", "qemu-user-static", "their scripts, which are arm64 programs"),
    Tool("update-binfmts", "binfmt-support", "starting arm64 programs"),
    Tool("arch-test", "arch-test", "the check that they start"),
    Tool("mke2fs", "e2fsprogs", "the disk's file system"),
)
_NATIVE: Final = ("qemu-aarch64-static", "update-binfmts", "arch-test")


def missing(
    tools: Iterable[Tool],
    *,
    machine: str | None = None,
    which: Callable[[str], str | None] | None = None,
) -> list[Tool]:
    """Give the tools that are not there; an arm64 machine needs no emulation of programs."""
    native = (machine or os.uname().machine) == "aarch64"
    look = which or _which
    return [
        tool
        for tool in tools
        if not (native and tool.program in _NATIVE) and look(tool.program) is None
    ]


def _which(program: str) -> str | None:
    # sbin is not on the path of every user
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def apt_line(tools: Iterable[Tool]) -> str:
    """Give the command that installs them."""
    packages = sorted({tool.package for tool in tools})
    return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"


def require(tools: Iterable[Tool], *, root: bool = False) -> None:
    """Raise BoardError with everything that is missing, and how to get it."""
    lacking = missing(tools)
    faults = [f"{tool.program} ({tool.use})" for tool in lacking]
    fixes = [apt_line(lacking)] if lacking else []
    if root and os.geteuid() != 0:
        faults.append("root (packages are unpacked with their owners)")
        fixes.append("run it once with root: sudo runner board build")
    if faults:
        raise BoardError("the board lacks: " + "; ".join(faults), fix="; ".join(fixes))
