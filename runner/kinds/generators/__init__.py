"""Load generators, one file each: how to start one, how to read what it printed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.kinds import discovery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.generators.interface import Generator, LoadNumbers, Output
    from runner.records.steps import LoadStep

_LARGEST: Final = 1e300


def names() -> tuple[str, ...]:
    """Generators that runner has itself, sorted; nothing is imported for it."""
    return discovery.ours("generators")


def generator(name: str) -> Generator:
    """Give the kind called `name`, here or in an outside package; else SpecError."""
    kind: Generator = discovery.module("generators", name).KIND
    return kind


def read(name: str, output: Output, step: LoadStep) -> LoadNumbers:
    """Give the numbers of one step; what cannot be read is the generator's failure.

    A number that is NaN or infinite does not exist, with that as the reason.
    """
    from runner.kinds.generators.interface import LoadNumbers

    try:
        parsed = generator(name).parse(output, step)
    except Exception as fault:  # noqa: BLE001 - no parser can end a run: the text is kept in the record
        message = str(fault)[:200] or type(fault).__name__
        return LoadNumbers(error=f"what {name} printed could not be read: {message}")
    why = dict(parsed.why)
    numbers, own = (_existing(name, some, why) for some in (parsed.numbers, parsed.own))
    return replace(parsed, numbers=numbers, why=why, own=own)


def _existing(
    name: str, numbers: Mapping[str, float | int | None], why: dict[str, str]
) -> dict[str, float | int | None]:
    """Give numbers without those that do not exist; NaN compares false."""
    existing = dict(numbers)
    for key, value in numbers.items():
        if value is not None and not -_LARGEST < value < _LARGEST:
            existing[key], why[key] = None, f"{name} says a number that does not exist"
    return existing


def tools() -> tuple[str, ...]:
    """Programs that the generators need on a host's PATH; outside ones that were named count."""
    generators = [*names(), *discovery.imported("generators")]
    return tuple(sorted({generator(name).tool for name in generators} - {""}))


def in_flight(rate: float, timeout_s: float) -> int:
    """Give the most requests of an open model that can wait at once: none longer than that."""
    return max(1, -int(-rate * timeout_s // 1))
