"""Programs to run on the host: kept there by content, sent only if absent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from runner.errors import RecordError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.executor.agent import Agent


def put(agent: Agent, path: Path) -> str:
    """Bring the file to the host unless it is there; gives its sha256."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(
            f"{path} cannot be read: {error.strerror}", fix="build the program again"
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    for _ in agent.run({"program": "put", "sha256": sha256, "size": len(data)}, payload=data):
        pass
    return sha256
