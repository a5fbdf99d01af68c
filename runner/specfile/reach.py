"""How far from a spec its programs may lie: in its folder, or in the repository around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def top(folder: Path) -> Path:
    """Give the repository that a spec's folder is in, or the folder itself."""
    root = folder.resolve()
    return next((up for up in (root, *root.parents) if (up / ".git").exists()), root)


def outside(folder: Path, package: str) -> str:
    """Say that a package is not to be built from there; empty where it is."""
    around = top(folder)
    if (folder / package).resolve().is_relative_to(around):
        return ""
    return (
        f"build.package {package} lies outside {around.name}/: keep the program beside the spec "
        "or in its repository"
    )
