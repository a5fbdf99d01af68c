"""Load generators, one file each: how to start one, how to read what it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.kinds import discovery

if TYPE_CHECKING:
    from runner.kinds.generators.interface import Generator


def names() -> tuple[str, ...]:
    """Generators that runner has itself, sorted; nothing is imported for it."""
    return discovery.ours("generators")


def generator(name: str) -> Generator:
    """Give the kind called `name`, here or in an outside package; else SpecError."""
    kind: Generator = discovery.module("generators", name).KIND
    return kind


def tools() -> tuple[str, ...]:
    """Programs that the generators need on a host's PATH; outside ones that were named count."""
    found = [*names(), *discovery.imported("generators")]
    return tuple(sorted({generator(name).tool for name in found} - {""}))


def in_flight(rate: float, timeout_s: float) -> int:
    """Give the most requests of an open model that can wait at once: none longer than that."""
    return max(1, -int(-rate * timeout_s // 1))
