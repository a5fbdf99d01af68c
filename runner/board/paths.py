"""Where boards are kept: images, snapshots, the user's key, one folder per running board."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = "RUNNER_BOARDS"


def home() -> Path:
    """Give the folder of all boards: $RUNNER_BOARDS, or ~/.cache/runner/boards."""
    chosen = os.environ.get(ENVIRONMENT)
    if chosen:
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "runner" / "boards"


def images() -> Path:
    """One folder per image, named after its recipe."""
    return home() / "images"


def snapshots() -> Path:
    """Booted machines by the identity of everything that went into them."""
    return home() / "snapshots"


def packages() -> Path:
    """Downloaded packages: an interrupted build goes on with them."""
    return home() / "packages"


def running() -> Path:
    """One folder per board that was started."""
    return home() / "running"
