"""Everything that can be seen of files, kernel keys and groups: equal before and after."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.host.agent import Host


def tree(root: Path) -> dict[str, Any]:
    """Content, type, mode, owner, attributes, time and number of names of all below `root`."""
    found: dict[str, Any] = {}
    for path in sorted([root, *root.rglob("*")]):
        stat = path.lstat()
        said: dict[str, Any] = {
            "mode": stat.st_mode,
            "owner": (stat.st_uid, stat.st_gid),
            "xattrs": {
                name: os.getxattr(path, name, follow_symlinks=False)
                for name in os.listxattr(path, follow_symlinks=False)
            },
        }
        if path.is_symlink():
            said["target"] = str(path.readlink())
        elif path.is_file():
            said["bytes"] = path.read_bytes()
            said["names"] = stat.st_nlink
        if not path.is_dir() or path.is_symlink():
            said["mtime_ns"] = stat.st_mtime_ns
        found[str(path.relative_to(root))] = said
    return found


def keys(host: Host, paths: Iterable[str]) -> dict[str, str]:
    """Kernel files as a process in the host's namespaces reads them, without the agent."""
    return {
        path: subprocess.run(
            [*host.prefix, "cat", path], capture_output=True, text=True, check=True
        ).stdout
        for path in paths
    }
