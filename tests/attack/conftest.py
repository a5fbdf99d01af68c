"""How much of it: 20 points a kind, or all with FULL=1."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.apply.conftest import cli, local, ssh, sshd
from tests.host.conftest import host, net, netns, put_back

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli", "host", "local", "net", "netns", "put_back", "ssh", "sshd"]

FULL = bool(os.environ.get("FULL"))
NOBODY = 65534


def points(few: int, all_: int) -> int:
    """Give how many rounds of an attack are run."""
    return all_ if FULL else few


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder that `nobody` owns, on a way that `nobody` may go."""
    if os.geteuid() != 0:
        pytest.skip("another user's folder needs root")
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    for above in (folder, *folder.parents):
        if above.stat().st_uid == 0 and len(above.parts) > 2:
            above.chmod(above.stat().st_mode | 0o011)
    return folder
