"""What every figure that a spec asks for is to the report: a name, and a drawing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.analysis.model import Analysis, Trial


@dataclass(frozen=True)
class Asked:
    """One entry of `report.figures`."""

    show: tuple[str, ...]
    over: str
    title: str


@dataclass(frozen=True)
class Shown:
    """What there is to draw."""

    analysis: Analysis
    treatments: Mapping[str, Sequence[Trial]]
    """Trials that count by what was varied, as text; "" where nothing was."""


@dataclass(frozen=True)
class Drawing:
    """One SVG; `of` tells it from others of the same entry, and may be empty."""

    of: str
    svg: bytes


class FigureKind(Protocol):
    """One kind of figure."""

    name: str
    doc: str
    """One line for `runner kinds`."""

    def draw(self, asked: Asked, shown: Shown) -> Iterator[Drawing]:
        """Give the drawings; none where there is nothing to draw."""
