"""In which order the trials run, and when there have been enough.

    blocks       every treatment once per block, shuffled within each
    interleaved  every treatment once per block, the first one moving on by one
    random       all trials that are always run shuffled together, later ones as `blocks`
    written      block by block, as the spec has them

A block is one repetition of every treatment. What drifts slowly (heat, other
tenants, a filling disk) then hits all treatments of a block alike, and cancels
in paired differences: Fisher, The Design of Experiments (1935), §26; for
benchmarks: Kalibera and Jones 2013, "Rigorous benchmarking in reasonable
time", ISMM, §4; Mytkowicz et al. 2009, ASPLOS, "Producing wrong data".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

ORDERS = ("blocks", "interleaved", "random", "written")


class Random(Protocol):
    """`random.Random` and `numpy.random.Generator` alike: uniform in [0, 1)."""

    def random(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Slot:
    """One trial (or search) to come."""

    position: int
    """From 0, in the order of running."""
    repetition: int
    """From 1; the block it is in."""
    cell: int
    """Index of the treatment."""


def order(
    cells: int,
    repetitions: int,
    by: str,
    rng: Random,
    *,
    first: int = 1,
    groups: Sequence[int] | None = None,
) -> tuple[Slot, ...]:
    """Order `repetitions` of every treatment; the same generator gives the same order.

    `first` is the number of the first repetition and continues a schedule: more
    blocks are drawn from the generator as it stands, never reordering what ran.
    With `groups`, the number of each treatment's group, those of one stand together
    inside every block; which group comes first is decided as which treatment would be.
    """
    if by not in ORDERS:
        raise ValueError(f"unknown order `{by}`; known: {', '.join(ORDERS)}")
    pairs: list[tuple[int, int]] = []
    for repetition in range(first, first + repetitions):
        block = list(range(cells))
        if by == "blocks":
            block = shuffled(block, rng)
        elif by == "interleaved":
            turn = (repetition - 1) % max(1, cells)
            block = block[turn:] + block[:turn]
        if groups is not None:
            seen = list(dict.fromkeys(groups[cell] for cell in block))
            block = [cell for group in seen for cell in block if groups[cell] == group]
        pairs += [(repetition, cell) for cell in block]
    if by == "random":
        pairs = shuffled(pairs, rng)
    return tuple(Slot(at, repetition, cell) for at, (repetition, cell) in enumerate(pairs))


def whole(
    cells: int,
    between: tuple[int, int],
    by: str,
    rng: Random,
    groups: Sequence[int] | None = None,
) -> tuple[Slot, ...]:
    """Order every repetition that may come, at once: how far it is followed changes nothing.

    Up to the fewest repetitions nothing is decided on the way, so `random` mixes them all.
    Each one after that is a block: the stop rule asks between whole repetitions only.
    """
    low, high = between
    slots = order(cells, low, by, rng, groups=groups)
    for repetition in range(low + 1, high + 1):
        slots += order(cells, 1, by, rng, first=repetition, groups=groups)
    return tuple(Slot(at, slot.repetition, slot.cell) for at, slot in enumerate(slots))


def shuffled(items: Sequence[T], rng: Random) -> list[T]:
    """Shuffle a copy: Fisher and Yates, as Durstenfeld 1964 (CACM 7, 420, Algorithm 235).

    Written out, since the order that `random.shuffle` makes of a seed is only
    promised within one version of Python, and a record has to be repeatable.
    """
    mixed = list(items)
    for last in range(len(mixed) - 1, 0, -1):
        at = int(rng.random() * (last + 1))
        mixed[at], mixed[last] = mixed[last], mixed[at]
    return mixed


@dataclass(frozen=True)
class Enough:
    """Whether repeating ends, and why."""

    stop: bool
    why: str


def enough(
    n: int, between: tuple[int, int], half_widths: Sequence[float | None], target: float | None
) -> Enough:
    """Decide after n repetitions of every treatment whether another one is run.

    `half_widths` are those of every watched interval, relative to its median
    (`Interval.half_width`), None where it does not exist yet; `target` is what
    each has to reach. Only widths are looked at, never a verdict or on which
    side of a published number an estimate lies: a rule that stops when the
    result pleases is wrong far more often than it says (Armitage, McPherson and
    Rowe 1969, Journal of the Royal Statistical Society A 132, 235-244), one
    that stops at a fixed width keeps its level nearly (Chow and Robbins 1965,
    Annals of Mathematical Statistics 36, 457-462).
    """
    low, high = between
    if n < low:
        return Enough(stop=False, why=f"{n} of at least {low} repetitions")
    if n >= high:
        return Enough(stop=True, why=f"{n} repetitions, the most that were planned")
    if target is None:
        return Enough(stop=True, why=f"{n} repetitions, as planned")
    if not half_widths or any(width is None for width in half_widths):
        return Enough(stop=False, why="an interval cannot be made yet")
    widest = max(width for width in half_widths if width is not None)
    if widest <= target:
        return Enough(stop=True, why=f"every interval is within ± {widest:.2%}")
    return Enough(stop=False, why=f"the widest interval is ± {widest:.2%}, above {target:.2%}")
