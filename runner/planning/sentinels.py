"""Trials after a search has found its level, and whether health depended on more than that.

A search takes the host for the same from its first trial to its last, health for falling with
the level, and a trial for independent of the one before. Each is looked for once the level is
found, and changes nothing of it:

    dips      from half the level to twice the level no wide gap is left untried
    drift     an early passing level, then both ends of the bracket, are tried again last
    history   the ends are tried after a failing trial and after a healthy one

Drift and history are likelihood-ratio tests: the curve of P(healthy) over all trials of the
search, with and without a capacity that moves with time, or after a failing trial (Cox and
Hinkley, Theoretical Statistics (1974), §9.3).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.planning.search_fit import Fit

    Trials = Sequence[tuple[int, bool]]

GAP: Final = 1.1
"""Ratio of neighbouring levels that are tried."""
REACH: Final = 1.9
"""How far from the level a dip is looked for, below and above."""
ROUNDS: Final = 2
"""How often both ends are tried again where that surprises nobody."""
MOST_ROUNDS: Final = 7
"""How often an end is tried again that surprised."""
EVIDENCE: Final = 4.5
"""Twice the logarithm of the likelihood ratio from which an effect is said: see
benchmarks/search, "What is flagged"."""
LAPSE: Final = 0.02
_LN9: Final = math.log(9)


def following(main: Trials, extra: Trials, bracket: tuple[int, int], *, lowest: bool) -> int | None:
    """Give the next level after the search has found its bracket; None when all is looked at."""
    good, bad = bracket
    at = 0
    for level, expected in _probes({level for level, _ in main}, bracket, lowest=lowest):
        seen: list[bool] = []
        while at < len(extra) and extra[at][0] == level and _unsure(seen, expected=expected):
            seen.append(extra[at][1])
            at += 1
        if _unsure(seen, expected=expected):
            return level
        if _odd(seen, expected=expected):
            break
    return _end(main, extra[at:], good, bad)


def _unsure(seen: Sequence[bool], *, expected: bool) -> bool:
    """Whether what was seen at a level says too little: one surprise, or one of each."""
    odd = sum(healthy is not expected for healthy in seen)
    return not seen or 2 * odd == len(seen) or (odd == 1 and len(seen) == 1)


def _odd(seen: Sequence[bool], *, expected: bool) -> bool:
    odd = sum(healthy is not expected for healthy in seen)
    return odd >= 2 and 2 * odd > len(seen)


def _probes(
    tried: set[int], bracket: tuple[int, int], *, lowest: bool
) -> Iterator[tuple[int, bool]]:
    """Give the levels that leave no wide gap around the bracket, and whether they should pass."""
    good, bad = bracket
    covered = set(tried)
    steps = math.ceil(math.log(REACH) / math.log(GAP))
    for end, expected in ((good, True), (bad, False)):
        towards = GAP if expected == lowest else 1 / GAP
        for step in range(1, steps + 1):
            whole = round(end * towards**step)
            near = GAP**0.25
            beside = any(whole / near <= other <= whole * near for other in covered)
            if whole >= 1 and whole not in (good, bad) and not beside:
                covered.add(whole)
                yield whole, expected


def _end(main: Trials, ends: Trials, good: int, bad: int) -> int | None:
    """Give the next of the last trials: an early level, then both ends by turns."""
    if not ends:
        return next((level for level, healthy in main if healthy), good)
    left = []
    for level, expected in ((good, True), (bad, False)):
        seen = [healthy for at, healthy in ends[1:] if at == level]
        surprised = any(healthy is not expected for healthy in seen)
        if len(seen) < (MOST_ROUNDS if surprised else ROUNDS):
            left.append((len(seen), level))
    return min(left, key=lambda one: one[0])[1] if left else None


def dips(extra: Trials, bracket: tuple[int, int], *, lowest: bool) -> tuple[int, ...]:
    """Give the levels on whose side of the bracket the contrary was seen, twice at least."""
    good, bad = bracket
    levels = []
    for level in dict.fromkeys(level for level, _ in extra):
        if level in (good, bad):
            continue
        expected = level >= good if lowest else level <= good
        seen = [healthy for at, healthy in extra if at == level]
        if _odd(seen, expected=expected):
            levels.append(level)
    return tuple(levels)


def effects(trials: Trials, curve: Fit) -> tuple[str, ...]:
    """Say what health depended on beside the level, in words; nothing where on nothing."""
    sentences = []
    count = len(trials)
    times = [at / max(1, count - 1) - 0.5 for at in range(count)]
    drift, moved = _evidence(trials, curve, times)
    before = [0.0, *[0.0 if healthy else 1.0 for _, healthy in trials[:-1]]]
    history, pushed = _evidence(trials, curve, before)
    if drift >= EVIDENCE:
        sentences.append(f"health moved while the search went on: its level by {moved:+.0%}")
    if history >= EVIDENCE and history >= drift - EVIDENCE:
        sentences.append(f"after a failing trial the level was another: by {pushed:+.0%}")
    return tuple(sentences)


def _evidence(trials: Trials, curve: Fit, covariate: Sequence[float]) -> tuple[float, float]:
    """Give twice the log likelihood ratio of a level that moves, and by how much it moves."""
    import numpy as np

    x = np.asarray(covariate)
    level = np.log([float(at) for at, _ in trials])
    healthy = np.array([good for _, good in trials])
    moves = np.linspace(-0.3, 0.3, 31)
    scales = max(curve.scale, 0.002) * np.exp(np.linspace(-1.4, 1.4, 7))
    middles = math.log(curve.half) + np.linspace(-0.25, 0.25, 101)
    sign = -1.0 if curve.rising else 1.0
    away = level - middles[:, None, None] - moves[None, :, None] * x
    best = np.full(len(moves), -np.inf)
    for scale in scales:
        odds = np.clip(sign * away / scale, -40, 40)
        p = LAPSE / 2 + (1 - LAPSE) / (1 + np.exp(odds))
        likely = np.where(healthy, np.log(p), np.log1p(-p)).sum(axis=-1)
        # the prior of the width that the fit has too
        prior = -0.5 * (math.log(scale / curve.scale) / 0.7) ** 2 if curve.scale > 0 else 0.0
        best = np.maximum(best, likely.max(axis=0) + prior)
    at = int(best.argmax())
    return float(2 * (best[at] - best[len(moves) // 2])), float(np.exp(moves[at]) - 1)
