"""Connections of a closed loop that were never answered, which no generator counts.

A connection that waits when the step ends is neither a request nor an error to its
generator: against a server that falls silent, wrk says "requests 2, timeouts 0". The host
counts them by the kernel's own times of each socket (`waiting` of a step). Where it could
not, they are estimated by Little's law: N connections of which each waits for an answer all
the time have N·T connection-seconds; the answers account for the share that is in their
latencies, plus what those in flight at the end had waited by then, E[L²] / 2 E[L] each
(the mean residual time of a renewal process). What is left over belongs to connections that
got no answer.
"""

from __future__ import annotations

from typing import Final

COUNTED: Final = "counted on the host: longer without an answer than the timeout, at the step's end"
STARVED: Final = "at least: some connection had no answer at all, as h2load prints"
ESTIMATED: Final = "estimated: connections × (1 − Little's-law share)"


def estimated(
    connections: int,
    seconds: float,
    timeout_s: float,
    requests: int,
    mean_s: float | None,
    stdev_s: float | None = None,
) -> float:
    """Estimate the connections that got no answer for longer than the timeout.

    0 where all the time that is left over is less than one such wait.
    """
    if seconds <= 0 or connections <= 0:
        return 0.0
    if not requests or mean_s is None:
        return float(connections) if seconds >= timeout_s else 0.0
    residual = (
        (mean_s**2 + (mean_s if stdev_s is None else stdev_s) ** 2) / (2 * mean_s)
        if mean_s > 0
        else 0.0
    )
    share = requests * mean_s / (connections * seconds) + residual / seconds
    left = connections * max(0.0, 1.0 - share)
    return left if left * seconds >= timeout_s else 0.0
