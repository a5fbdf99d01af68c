"""Events of a host as tests write them: dicts, made the types that its bytes become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.analysis.trial import frames
from runner.records.events import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUIRED = {
    "end": {"ok": True},
    "ready": {"after_s": 0.0},
    "workload_started": {"pid": 1},
}
"""What every such event has, and a test may leave out."""


def typed(events: Iterable[dict]) -> list:
    """Decode events as the edge does."""
    return [decode(json.dumps({**REQUIRED.get(e["event"], {}), **e})) for e in events]


def reading(events: Iterable[dict]) -> frames.Reading:
    """Events of a trial, as the analysis has them."""
    return frames.read(typed(events))
