"""What every metric source is to the rest: which files to read, what the columns mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Read = dict[str, Any]
"""A sampler read as docs/design/001-contracts.md has it: id, path, hz, pick."""


@dataclass(frozen=True)
class Field:
    """One quantity of a source, such as `procfs.rss` or `cgroup.peak`."""

    column: str
    """Column of the sample stream, `<read id>.<picked name>`."""
    unit: str
    """Base unit after scaling: B, s, 1, Hz, °C."""
    doc: str
    scale: float = 1.0
    kind: Literal["gauge", "counter"] = "gauge"
    """A counter is reported as its increase over the step."""


class Source(Protocol):
    """One kind of metric source that the sampler reads."""

    name: str

    def reads(self, facts: Mapping[str, Any], *, hz: float) -> list[Read]:
        """Files to read on a host with these facts; a missing file is said by the agent."""

    def fields(self, facts: Mapping[str, Any]) -> Mapping[str, Field]:
        """Quantities by their short name (`rss`)."""
