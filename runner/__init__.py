"""Declarative systems experiments: apply, measure, restore, judge published numbers.

`runner.load("reports")` gives every run below a folder as tables, see docs/query.md.
"""

from typing import TYPE_CHECKING

from runner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runner.data.load import Runs


def load(folder: "str | Path | Sequence[str | Path]" = "reports") -> "Runs":
    """Open every run below one folder or several; RunnerError where there is none."""
    from runner.data.load import load as open_runs

    return open_runs(folder)


__all__ = ["__version__", "load"]
