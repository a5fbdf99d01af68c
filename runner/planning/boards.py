"""Which board runs which block: balanced, drawn once, known before the first trial. Pure.

A block (one repetition of every treatment) is run on one board, so that its treatments
are compared on the same machine. Boards take turns in rounds; each round is shuffled, so
that no board always comes first, and after any number of whole rounds all have had as
many blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.planning.order import shuffled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.planning.order import Random


def assigned(boards: Sequence[str], blocks: int, rng: Random) -> tuple[str, ...]:
    """Give the board of each block, the first block's first."""
    order: list[str] = []
    while len(order) < blocks:
        order += shuffled(boards, rng)
    return tuple(order[:blocks])


def moved(block: int, alive: Sequence[str], load: dict[str, int]) -> str:
    """Give the board that takes over a block: of those alive the one with the fewest left.

    `load` counts the blocks that each board has still to run; `block` breaks a tie, so
    that the blocks of a dead board go round.
    """
    if not alive:
        raise ValueError("no board is alive")
    turn = block % len(alive)
    return min([*alive[turn:], *alive[:turn]], key=lambda board: load.get(board, 0))
