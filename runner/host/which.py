"""Finding a program on a PATH, without the modules that `shutil.which` comes with."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


def which(name: str, path: str) -> Optional[str]:
    """Give the absolute path of an executable, or None."""
    for folder in path.split(":"):
        found = os.path.join(folder or ".", name)
        if os.access(found, os.X_OK) and not os.path.isdir(found):
            return found
    return None
