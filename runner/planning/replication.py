"""Which boot and which layout a block is of. Pure.

Where code and stack lie is decided by chance when a program is linked and started, and may be
worth more than a compiler's optimisation (Mytkowicz, Diwan, Hauswirth and Sweeney 2009, ASPLOS
XIV, 265-276). It stays the same as long as one binary is run, so only several layouts show it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.spec.sections.replication import every

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment

MOST_PADDING: Final = 4096
"""Bytes; as far as Mytkowicz et al. went: a page."""


@dataclass(frozen=True)
class Layout:
    """One layout of a program: by the order in which it is linked, and where its stack begins."""

    name: str
    """What a record calls it: `1` for the first."""
    link: int
    """Seed of the linker, above 0."""
    padding: int
    """Bytes of environment before the stack."""


SEED: Final = 20261123
"""Used where the spec names none: an order has to be the same when it is repeated."""


def seed_of(experiment: Experiment) -> int:
    """Give the seed that order, boards and layouts of a run are drawn by."""
    seed = experiment.repeat.order.seed
    return seed if seed is not None else SEED


def group(block: int, asked: str | int | None) -> int | None:
    """Number the boot, or the layout, that a block is of, from 1; None where it is not varied."""
    lasts = every(asked)
    return None if lasts is None else (block - 1) // lasts + 1


def boot_of(experiment: Experiment, block: int) -> int | None:
    """Number the boot of a block; None where the host is not rebooted."""
    levels = experiment.repeat.levels
    return group(block, levels.boot) if levels is not None else None


def layout_of(experiment: Experiment, block: int) -> Layout | None:
    """Give the layout of a block; None where there is one for all.

    It is of the spec's seed and the number alone: the same in a run that goes on, and on another
    board.
    """
    levels = experiment.repeat.levels
    number = group(block, levels.build) if levels is not None else None
    if number is None:
        return None
    drawn = hashlib.sha256(f"layout {seed_of(experiment)} {number}".encode()).digest()
    # the linker takes 0 for no layout
    link = int.from_bytes(drawn[:8], "big") >> 1 or 1
    return Layout(str(number), link, 1 + int.from_bytes(drawn[8:12], "big") % MOST_PADDING)


def name_of(layout: Layout | None) -> str:
    """Give what a record calls a layout; empty where there is one for all."""
    return layout.name if layout is not None else ""
