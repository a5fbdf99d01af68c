"""Clients of a closed loop that nobody serves: their share counts, however fast the others are.

A client that waits makes one error for each timeout, one that is served makes thousands of
answers in that time: a server that answers one connection of ten has next to no errors among
its requests. So the ratio of errors is that of the requests, or that of the clients who were
left without an answer for longer than the timeout: whichever is greater. Only where the host
counted those, or the generator did: an estimate of them is too coarse to condemn a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    Number = float | int | str | None

RATIO: Final = "load.error_ratio"


def count_unserved(numbers: dict[str, Number], why: dict[str, str], timeout_s: float) -> None:
    """Raise the ratio of errors to the share of clients that were left without an answer."""
    # a count is a whole number, an estimate is not
    waiting, opened = numbers.get("load.unanswered"), numbers.get("load.opened")
    ratio = numbers.get(RATIO)
    if not isinstance(waiting, int) or not isinstance(opened, int | float) or opened <= 0:
        return
    share = min(1.0, waiting / opened)
    if share and (ratio is None or (isinstance(ratio, int | float) and ratio < share)):
        numbers[RATIO] = share
        why[RATIO] = (
            f"{waiting} of {opened:g} connections were left without an answer for longer than "
            f"{timeout_s:g} s"
        )
