"""The C compiler of a build for another architecture: cgo needs one that makes its code."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from runner.errors import ToolchainError
from runner.toolchain.target import target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# Debian's names: what programs begin with, and what its C library's packages end in
_DEBIAN: Final = {
    "arm64": ("aarch64-linux-gnu", "arm64"),
    "arm": ("arm-linux-gnueabihf", "armhf"),
    "amd64": ("x86_64-linux-gnu", "amd64"),
    "riscv64": ("riscv64-linux-gnu", "riscv64"),
}


TRIPLETS: Final = {arch: prefix for arch, (prefix, _) in _DEBIAN.items()}


def c_compiler(
    asked: Mapping[str, str], path: str | None, machine: str = "", named: str = "CGO_ENABLED=1"
) -> dict[str, str]:
    """Give CC for a build that asks for cgo on another architecture than this machine's.

    Nothing where the spec names its own. ToolchainError says what to install.
    """
    arch = asked.get("GOARCH", "")
    if asked.get("CGO_ENABLED") != "1" or "CC" in asked or asked.get("GOOS") != "linux":
        return {}
    if arch not in _DEBIAN or arch == target_of(machine or os.uname().machine).goarch:
        return {}
    prefix, library = _DEBIAN[arch]
    name = f"{prefix}-gcc"
    if shutil.which(name, path=path) is None:
        package = f"gcc-{prefix.replace('_', '-')}"
        raise ToolchainError(
            f"{named} for linux/{arch} needs a C compiler for it: no {name} here",
            fix=f"sudo apt install {package} libc6-dev-{library}-cross, or say build.env.CC",
        )
    return {"CC": name}
