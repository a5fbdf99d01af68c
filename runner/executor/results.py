"""What came of the cells of `converge` and `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.records.host_events import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runner.records.events import AnyEvent


def collect(
    events: Iterable[AnyEvent], on_event: Callable[[AnyEvent], None] | None
) -> list[Result]:
    """Gather the results of a program; hand on every event as it comes."""
    results = []
    for event in events:
        if on_event is not None:
            on_event(event)
        if isinstance(event, Result):
            results.append(event)
    return results
