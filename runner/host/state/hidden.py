"""Of a secret the journal keeps a salted hash: it outlives the run, and has to tell drift."""

from __future__ import annotations

import json

from ..cells import addresses
from ..digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from runner.records.cells import Cell


def hidden(value: object, salt: str) -> object:
    """Give the hash of a value; None stays None. Times of a file do not count."""
    if value is None:
        return None
    if isinstance(value, dict):
        value = {key: attribute for key, attribute in value.items() if key != "mtime_ns"}
    text = salt + json.dumps(value, sort_keys=True)
    return {"hidden": sha256(text.encode("ascii")).hexdigest(), "salt": salt}


def salt_of(value: object) -> Optional[str]:
    """Give the salt of such a hash; None for any other value."""
    return str(value["salt"]) if isinstance(value, dict) and "hidden" in value else None


def is_hidden(value: object) -> bool:
    """Whether this is such a hash."""
    return salt_of(value) is not None


def is_value(cell: Cell, value: object) -> bool:
    """Say whether a cell can hold this, or it is the hash of what it holds."""
    return is_hidden(value) or addresses.fault_of_value(cell, value) is None
