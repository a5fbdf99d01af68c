"""What is wanted of many printed numbers: every match, every item, every row of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SkipBy = Literal["items", "share", "seconds"]


@dataclass(frozen=True)
class Asked:
    """One number of a step that is made of many; also in a record, of the generator `command`."""

    name: str
    """What it is called among the numbers of a step."""
    source: str
    """`stdout.regex`, `stdout.json.runs.*.ms`, `stdout.jsonl.ms`, `stdout.csv.ms`."""
    pattern: str = ""
    statistic: str = "last"
    skip: float = 0.0
    """So many of the first are thrown away."""
    skip_by: SkipBy = "items"
    t: str = ""
    """Of a series: where its time stands in an item (a group, a path, a column)."""
    v: str = ""
    t_size: float = 1.0
    """Seconds that one of its time is."""
    size: float = 1.0
    """Base units that one of what is printed is; of a metric 1, which knows its unit itself."""
