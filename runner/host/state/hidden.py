"""Of a secret the journal keeps a salted hash: it outlives the run, and has to tell drift."""

from __future__ import annotations

import json

from ..digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def hidden(value: Any, salt: str) -> Any:
    """Give the hash of a value; None stays None. Times of a file do not count."""
    if value is None:
        return None
    if isinstance(value, dict):
        value = {key: said for key, said in value.items() if key != "mtime_ns"}
    text = salt + json.dumps(value, sort_keys=True)
    return {"hidden": sha256(text.encode("ascii")).hexdigest(), "salt": salt}


def is_hidden(value: Any) -> bool:
    """Whether this is such a hash."""
    return isinstance(value, dict) and "hidden" in value
