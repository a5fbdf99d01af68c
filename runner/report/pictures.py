"""Which figures a report has, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.model import Analysis


def draw(spec: Mapping[str, Any], analysis: Analysis) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Draw the figures: files by name, and what the template shows of them."""
    del spec, analysis
    return {}, {"memory": [], "steps": [], "search": None, "claims": {}, "left_out": 0}
