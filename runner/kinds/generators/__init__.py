"""Load generators, one file each: how to start one, how to read what it printed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.kinds.generators.interface import Generator

NAMES = ("wrk", "h2load", "vegeta", "command")


def generator(name: str) -> Generator:
    """Give the kind called `name`; ValueError names the known ones."""
    if name not in NAMES:
        raise ValueError(f"unknown load generator {name!r}: one of {', '.join(NAMES)}")
    kind: Generator = import_module(f"runner.kinds.generators.{name}").KIND
    return kind
