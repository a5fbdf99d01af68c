"""Metric sources, one file each: they describe what to read and what it means."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.sources.interface import Field, Read, Source


def kinds() -> dict[str, Source]:
    """Every sampled source of this package by name, found by its file."""
    found: dict[str, Source] = {}
    for info in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{info.name}")
        kind = getattr(module, "KIND", None)
        if kind is not None:
            found[kind.name] = kind
    return found


def reads(facts: Mapping[str, Any], *, hz: float) -> list[Read]:
    """Reads of all sources for one host."""
    return [read for source in kinds().values() for read in source.reads(facts, hz=hz)]


def fields(facts: Mapping[str, Any]) -> dict[str, Field]:
    """Every quantity by its full name (`procfs.rss`)."""
    return {
        f"{name}.{short}": field
        for name, source in kinds().items()
        for short, field in source.fields(facts).items()
    }
