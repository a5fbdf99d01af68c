"""What came of one cell: the lines of `converge` and `restore`, typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.errors import ProgramRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Result:
    """One cell: what it was, what it is, and why it is not what it should be."""

    id: str
    outcome: str
    before: Any = None
    after: Any = None
    why: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the cell is not what the program asked for."""
        return self.outcome in {"failed", "drifted", "unknown"}

    @property
    def changed(self) -> bool:
        """Whether the host was changed, or would be."""
        return self.outcome in {"changed", "restored", "would change"}


def result_of(event: Mapping[str, Any]) -> Result:
    """Make a Result of a `result` event."""
    try:
        return Result(
            id=str(event["id"]),
            outcome=str(event["outcome"]),
            before=event.get("before"),
            after=event.get("after"),
            why=event.get("why"),
        )
    except KeyError as error:
        raise ProgramRefused(
            f"a result without {error}: {dict(event)!r}", fix="report this with the line"
        ) from error


def collect(
    events: Iterable[Mapping[str, Any]], on_event: Callable[[Mapping[str, Any]], None] | None
) -> list[Result]:
    """Gather the results of a program; hand on every event as it comes."""
    results = []
    for event in events:
        if on_event is not None:
            on_event(event)
        if event["event"] == "result":
            results.append(result_of(event))
    return results
