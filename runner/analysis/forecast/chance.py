"""What a number of repetitions is likely to decide of one claim."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chance:
    """Whether so many repetitions are likely to decide one claim."""

    id: str
    published: str
    n: tuple[int, int]
    chance: tuple[float, float] | None
    """At the least and at the most repetitions; None where nothing can be said."""
    towards: str = ""
    basis: str = ""
    needed: int | None = None
    """Repetitions for 80 %."""
    warning: str = ""
