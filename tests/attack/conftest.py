"""How much of it: 20 points a kind, or all with FULL=1."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.apply.conftest import cli, local, ssh, sshd
from tests.host.conftest import host, net, netns, put_back

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cli", "host", "local", "net", "netns", "put_back", "ssh", "sshd"]

FULL = bool(os.environ.get("FULL"))
NOBODY = 65534


def points(few: int, all_: int) -> int:
    """Give how many rounds of an attack are run."""
    return all_ if FULL else few


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder that `nobody` owns, on a way that `nobody` may go.

    Not below pytest's own, which every session that starts makes its user's alone again.
    """
    if os.geteuid() != 0:
        pytest.skip("another user's folder needs root")
    above = Path(tempfile.mkdtemp(prefix="runner-attack-", dir="/var/tmp"))
    above.chmod(0o711)
    folder = above / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(above, ignore_errors=True)
