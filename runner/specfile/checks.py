"""What only the whole spec shows: names that do not exist, parts that do not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.spec.experiment import Experiment
    from runner.specfile.values import Path

Finding = tuple["Path", str, bool]


def check(exp: Experiment, data: dict[str, Any]) -> Iterator[Finding]:
    """Give (path, message, whether the key is meant) for every fault."""
    yield from ()
