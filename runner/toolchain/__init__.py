"""Go toolchains and builds: an exact Go anywhere, and output cached by content."""

from __future__ import annotations

from runner.toolchain.build import Build, BuildRequest, build
from runner.toolchain.elf import ElfInfo, read_elf
from runner.toolchain.go import Toolchain, lays_out, resolve
from runner.toolchain.process import Ran, Run, default_cache_dir, run_process
from runner.toolchain.target import Target, target_of

__all__ = [
    "Build",
    "BuildRequest",
    "ElfInfo",
    "Ran",
    "Run",
    "Target",
    "Toolchain",
    "build",
    "default_cache_dir",
    "lays_out",
    "read_elf",
    "resolve",
    "run_process",
    "target_of",
]
