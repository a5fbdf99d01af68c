"""Writes the git revision into what is built, for `runner --version` away from a checkout."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Adds runner/_revision.txt to wheel and sdist; nothing for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Ask git; a source archive without git keeps the file that it came with."""
        if version == "editable" or (Path(self.root) / "runner" / "_revision.txt").is_file():
            return
        git = ["git", "-C", self.root, "-c", "core.fsmonitor=false"]
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], text=True, capture_output=True, check=False
        )
        if head.returncode != 0:
            return
        status = subprocess.run(
            [*git, "status", "--porcelain", "--", ":(top)", ":(top,exclude)reports"],
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        mark = head.stdout.strip()[:12] + ("+" if status.stdout.strip() else "")
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
            file.write(mark + "\n")
        build_data["force_include"][file.name] = "runner/_revision.txt"
