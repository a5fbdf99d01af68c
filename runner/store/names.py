"""What a run is called, and what may name a file of it."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import Final

from runner.errors import RecordError

RUN_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_NAME_BYTES: Final = 200


def new_run_id(at: float, suffix: str | None = None) -> str:
    """Name a run by its start (unix seconds); `suffix` is six hex digits, random by default."""
    start = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{start}-{suffix or secrets.token_hex(3)}"


def safe_name(name: str) -> str:
    """Return a name that is one path component, or raise RecordError."""
    bad = any(c in "/\\" or unicodedata.category(c) in {"Cc", "Cs"} for c in name)
    if not name or bad or name.startswith(".") or len(name.encode()) > _NAME_BYTES:
        raise RecordError(f"{name[:60]!r} cannot name a file", fix="use letters, digits, - and _")
    return name
