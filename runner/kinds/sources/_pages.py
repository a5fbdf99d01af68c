"""JSON objects that a workload showed: on its pages, and as the last one on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.kinds.sources._text import last_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.kinds.sources.interface import Printed


def objects(printed: Printed) -> Iterator[dict[str, Any]]:
    """Every JSON object, the newest last."""
    said = last_object(printed.stdout)
    if isinstance(said, dict):
        yield said
    for page in printed.pages:
        if page.text and page.text.lstrip().startswith("{"):
            try:
                found = json.loads(page.text)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
