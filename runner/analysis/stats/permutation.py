"""Many metrics compared at once: exact permutation tests with one error rate for all.

Where there is no difference, a pair could as well be the other way round, and a repetition as
well be of the other run. So signs are flipped over blocks, or labels exchanged, of all metrics
together, and each metric is held against the largest t statistic of all metrics that could be
null: Westfall and Young, Resampling-Based Multiple Testing (1993), §2.6 (step-down max-T).
What the metrics have in common makes the correction small, where Holm's takes the worst case:
of six pairs a difference that is far larger than the noise is found in any number of metrics.
Every order is counted while there are few, else a fixed random sample that holds the observed.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST: Final = 20_000
"""Orders up to which all are counted."""
SAMPLE: Final = 9_999
ROUNDING: Final = 1e-12
"""Differences that are less of the noise, or of the values, than this are 0 but for rounding."""


@dataclass(frozen=True)
class Tested:
    """p of each metric by itself, among all, and on which side b lies."""

    p: tuple[float, ...]
    adjusted: tuple[float, ...]
    up: tuple[bool, ...]
    t: tuple[float, ...]


def paired_max_t(differences: Sequence[Sequence[float | None]]) -> Tested:
    """Test b - a over blocks: a row for each block, a column for each metric; None is missing."""
    import numpy as np

    data, there = _matrix(differences)
    n = there.sum(axis=0)
    signs = _signs(len(data))
    sums = signs @ data
    squares = (data**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.maximum(n * squares - sums**2, 0.0) / np.maximum(n - 1, 1)
        none = np.abs(sums) <= ROUNDING * np.sqrt(n * squares)
        t = np.where(none, 0.0, np.abs(sums) / np.sqrt(_floored(spread, n * squares)))
    return _step_down(t, sums[0] > 0)


def labels_max_t(
    a: Sequence[Sequence[float | None]], b: Sequence[Sequence[float | None]]
) -> Tested:
    """Test b against a: a row for each repetition, a column for each metric; None is missing."""
    import numpy as np

    data, there = _matrix([*a, *b])
    counts = there.sum(axis=0)
    centred = np.where(there > 0, data - data.sum(axis=0) / np.maximum(counts, 1), 0.0)
    # what the mean leaves of equal values is not their spread
    centred[np.abs(centred) <= ROUNDING * np.abs(data).max(axis=0, initial=0.0)] = 0.0
    chosen = _labels(len(b), len(a) + len(b))
    sums, of = chosen @ centred, chosen @ there
    total = (centred**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where((of > 0) & (of < counts), sums**2 * counts / (of * (counts - of)), 0.0)
        within = np.maximum(total - between, 0.0) / np.maximum(counts - 2, 1)
        t = np.where(
            between <= ROUNDING**2 * total, 0.0, np.sqrt(between / _floored(within, total))
        )
    return _step_down(t, sums[0] > 0)


def _matrix(rows: Sequence[Sequence[float | None]]) -> tuple[Floats, Floats]:
    import numpy as np

    data = np.array([[math.nan if v is None else v for v in row] for row in rows], dtype=float)
    there = np.isfinite(data)
    return np.where(there, data, 0.0), there.astype(np.float64)


def _floored(spread: Floats, size: Floats) -> Floats:
    """Keep what is 0 but for rounding from deciding which of two exact orders is larger."""
    import numpy as np

    floor = np.maximum(size * 1e-12, 1e-300)
    return np.asarray(np.maximum(spread, floor), dtype=np.float64)


def _signs(blocks: int) -> Floats:
    """Give the observed signs first, then all others, or a sample of them."""
    import numpy as np

    if 2**blocks <= MOST:
        bits = np.arange(2**blocks)[:, None] >> np.arange(blocks) & 1
        return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
    drawn = np.random.default_rng(0).integers(0, 2, (SAMPLE, blocks))
    return np.vstack([np.ones(blocks), 1.0 - 2.0 * drawn])


def _labels(chosen: int, of: int) -> Floats:
    """Give which rows are b's: as observed first, then all others, or a sample of them."""
    import numpy as np

    observed = np.concatenate([np.zeros(of - chosen), np.ones(chosen)])
    if math.comb(of, chosen) <= MOST:
        ways = [*itertools.combinations(range(of), chosen)]
        labels = np.zeros((len(ways), of))
        labels[np.arange(len(ways))[:, None], np.array(ways, dtype=int)] = 1.0
        return np.vstack([observed, labels[np.any(labels != observed, axis=1)]])
    tiled = np.tile(observed, (SAMPLE, 1))
    return np.vstack([observed, np.random.default_rng(0).permuted(tiled, axis=1)])


def _step_down(t: Floats, up: NDArray[np.bool_]) -> Tested:
    import numpy as np

    observed = t[0]
    near = observed * (1 - 1e-9)
    alone = (t >= near).mean(axis=0)
    order = np.argsort(-observed, kind="stable")
    adjusted = np.zeros(len(observed))
    # from the smallest up, the largest of those not yet rejected
    largest = np.maximum.accumulate(t[:, order[::-1]], axis=1)[:, ::-1]
    shares = (largest >= near[order]).mean(axis=0)
    adjusted[order] = np.maximum.accumulate(shares)
    return Tested(
        tuple(map(float, alone)), tuple(map(float, adjusted)), tuple(map(bool, up)),
        tuple(map(float, observed)),
    )  # fmt: skip


def smallest_p(a: int, b: int, *, paired: bool) -> float:
    """Give the smallest p that so many blocks (a), or values on two sides, can have."""
    if paired:
        return min(1.0, 2.0 ** (1 - a))
    if not a or not b:
        return 1.0
    return min(1.0, (2 if a == b else 1) / math.comb(a + b, a))


def fewest(alpha: float, *, paired: bool) -> int:
    """Give the fewest blocks, or values on each side, that can have p <= alpha: 6, or 4."""
    n = 1
    while smallest_p(n, n, paired=paired) > alpha:
        n += 1
    return n


def would_do(t: float, a: int, b: int, alpha: float, *, paired: bool) -> int | None:
    """Guess how many blocks, or values on each side, find a difference of this size with 80 %.

    The effect is taken as measured, the noise as normal (non-central t); None above 1000.
    """
    import numpy as np
    from scipy.special import nctdtr, stdtrit

    effect = t / math.sqrt(a) if paired else t * math.sqrt(1 / a + 1 / b)
    sizes = np.arange(fewest(alpha, paired=paired), 1001)
    degrees = sizes - 1 if paired else 2 * sizes - 2
    pull = effect * np.sqrt(sizes if paired else sizes / 2)
    with np.errstate(all="ignore"):
        power = 1 - nctdtr(degrees, np.minimum(pull, 30.0), stdtrit(degrees, 1 - alpha / 2))
    enough = sizes[np.nan_to_num(power, nan=1.0) >= 0.8]
    return int(enough[0]) if len(enough) else None
