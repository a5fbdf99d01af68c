"""Names of treatments for ids: of trials, builds, cgroups and files. Pure.

A level is any text; an id has to be the name of a file. Levels that are plain words
stand as they are; any others become a slug with a hash of what was written, so that two
treatments never share an id. What is shown is always the level's text, never the id.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]*")
_LONGEST: Final = 60
_SLUG: Final = 40
_HASH: Final = 8


def treatment_id(levels: Mapping[str, str]) -> str:
    """Name a treatment: `nethttp`, `nethttp-100`, `GET-ping-1f3a…`; `all` where nothing varies."""
    texts = list(levels.values())
    joined = "-".join(texts)
    if is_plain(levels):
        return joined or "all"
    # of the texts as a list: `a-b` and `c` are not `a` and `b-c`
    written = json.dumps(texts).encode()
    digest = hashlib.sha256(written).hexdigest()[:_HASH]
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", joined).strip("-.")[:_SLUG].rstrip("-.")
    return f"{slug}-{digest}" if slug else f"level-{digest}"


def is_plain(levels: Mapping[str, str]) -> bool:
    """Whether the id of a treatment is the text of its levels, and need not be explained."""
    texts = levels.values()
    return all(_PLAIN.fullmatch(text) for text in texts) and len("-".join(texts)) <= _LONGEST


def shown(levels: Mapping[str, str]) -> str:
    """Give the levels of a treatment as they are written: `flags=stripped, memory=32MiB`."""
    return ", ".join(f"{key}={level}" if level else f'{key}=""' for key, level in levels.items())
