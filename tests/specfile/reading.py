"""Reading specs in tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.specfile import SpecFaults, load, parse_text

if TYPE_CHECKING:
    from runner.spec import Experiment

HERE = Path(__file__).parent
EXAMPLES = ("capacity", "stepped", "flags", "benchmark")


def example(name: str) -> Experiment:
    return load(HERE / "examples" / f"{name}.yaml")


def read(text: str | bytes, **how: Any) -> Experiment:
    return parse_text(text, "spec.yaml", **how).experiment


def faults(text: str | bytes, **how: Any) -> list[str]:
    """Give every fault as `line:col message`."""
    with pytest.raises(SpecFaults) as caught:
        read(text, **how)
    return [f"{f.line}:{f.column} {f.message}" for f in caught.value.faults]
