"""Effects of two-level factors by least squares, with their intervals. Pure.

A mean for each block, and for each factor what going from its first level to its second adds (Box,
Hunter and Hunter, Statistics for Experimenters, 2nd ed. 2005, §5-6). Intervals are Student's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ADDITIVE: Final = 0.01
"""p of the lack of fit below which single effects are said not to add up."""
ROUNDING: Final = 1e-9
"""A spread that is less than this of the values is that of arithmetic."""


@dataclass(frozen=True)
class Amount:
    """b against a: a ratio, or a difference in base units; with its interval at 90 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scaled:
    """An estimate on the scale that adds up."""

    value: float
    error: float
    df: float

    def amount(self, *, ratio: bool) -> Amount:
        """Give the interval; of logarithms as a ratio."""
        half = self.error * quantile(self.df) if self.error else 0.0
        low, high = self.value - half, self.value + half
        if not ratio:
            return Amount(self.value, low, high)
        return Amount(*(math.exp(min(v, 700.0)) for v in (self.value, low, high)))

    @property
    def p(self) -> float:
        """Of Student's test against 0, two-sided; 0 or 1 where there is no noise."""
        if not self.error:
            return 0.0 if self.value else 1.0
        from scipy.special import stdtr

        return float(2 * stdtr(self.df, -abs(self.value) / self.error))

    @property
    def shown(self) -> bool:
        """Whether the interval is on one side of 0."""
        return abs(self.value) > (self.error * quantile(self.df) if self.error else 0.0)

    def less(self, other: Scaled) -> Scaled:
        """Give the difference; degrees of freedom as Welch and Satterthwaite have them."""
        error = math.hypot(self.error, other.error)
        below = sum(one.error**4 / one.df for one in (self, other) if one.error)
        return Scaled(self.value - other.value, error, error**4 / below if below else math.inf)


def quantile(df: float) -> float:
    """Give how many standard errors an interval of LEVEL reaches to each side."""
    from scipy.special import ndtri, stdtrit

    tail = (1 + LEVEL) / 2
    return float(ndtri(tail) if math.isinf(df) else stdtrit(df, tail))


def mean_of(values: Sequence[float]) -> Scaled:
    """Give a mean with its standard error."""
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.fsum((v - mean) ** 2 for v in values) / (n - 1) if n > 1 else 0.0
    error = math.sqrt(spread / n)
    return Scaled(mean, error if error > ROUNDING * max(abs(mean), 1e-300) else 0.0, n - 1)


@dataclass(frozen=True)
class Fit:
    """Each effect, their sum, and both extremes measured against one another."""

    singles: tuple[Scaled, ...]
    """In the order of the factors."""
    total: Scaled
    ends: Scaled
    additive: bool


@dataclass(frozen=True)
class Value:
    """One value, the block and the treatment that it is of, and the treatment's levels."""

    value: float
    block: object
    cell: int
    signs: tuple[float, ...]
    """+1/2 for each factor at its second level, -1/2 at its first."""


def fitted(data: Sequence[Value]) -> Fit | None:
    """Fit the effects; None where too few trials gave a value."""
    import numpy as np

    if not data:
        return None
    means = _dummies([one.block for one in data])
    design = np.hstack([means, np.array([one.signs for one in data])])
    values = np.array([one.value for one in data])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    coefficients, rest, df = _least(design, values)
    if df < 1:
        return None
    first = means.shape[1]
    spread = rest / df * np.linalg.inv(design.T @ design)
    columns = range(first, design.shape[1])
    singles = tuple(_combined(coefficients, spread, df, [at]) for at in columns)
    total = _combined(coefficients, spread, df, columns)
    cells = _dummies([one.cell for one in data])
    _, pure, pure_df = _least(np.hstack([means, cells]), values)
    ends = _ends(design, values, first, pure / pure_df if pure_df else rest / df, pure_df or df)
    additive = ends is None or not _lacking(rest, df, pure, pure_df)
    return Fit(singles, total, ends or total, additive)


def _dummies(keys: Sequence[object]) -> Floats:
    import numpy as np

    kept = list(dict.fromkeys(keys))
    return np.array([[float(key == one) for one in kept] for key in keys])


def _least(design: Floats, values: Floats) -> tuple[Floats, float, int]:
    """Give coefficients, the sum of squares that they leave, and its degrees of freedom."""
    import numpy as np

    coefficients, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    rest = values - design @ coefficients
    squares = float(rest @ rest)
    size = max(float(np.abs(values).max()), 1e-300)
    if squares <= len(values) * (ROUNDING * size) ** 2:
        squares = 0.0
    return np.asarray(coefficients, dtype=np.float64), squares, len(values) - int(rank)


def _lacking(rest: float, df: int, pure: float, pure_df: int) -> bool:
    """Test what single effects leave against what repetitions do: the lack-of-fit F test."""
    more = df - pure_df
    if pure_df < 1 or more < 1 or rest <= pure:
        return False
    if not pure:
        return True
    from scipy.special import fdtrc

    return float(fdtrc(more, pure_df, (rest - pure) / more / (pure / pure_df))) <= ADDITIVE


def _ends(design: Floats, values: Floats, first: int, noise: float, df: int) -> Scaled | None:
    """Give all at b against all at a, within blocks; None where one of them gave no value."""
    import numpy as np

    both = [np.all(design[:, first:] == sign, axis=1) for sign in (0.5, -0.5)]
    if not all(one.any() for one in both):
        return None
    kept = both[0] | both[1]
    columns = np.hstack([design[kept, :first], both[0][kept, None].astype(float)])
    coefficients, _, _ = _least(columns, values[kept])
    error = math.sqrt(noise * sum(1 / int(one.sum()) for one in both))
    return Scaled(float(coefficients[-1]), error, df)


def _combined(coefficients: Floats, spread: Floats, df: int, columns: Sequence[int]) -> Scaled:
    """Give the sum of coefficients; one that is nothing but rounding is 0."""
    import numpy as np

    at = list(columns)
    value = float(coefficients[at].sum())
    size = float(np.abs(coefficients).max())
    error = math.sqrt(max(0.0, float(spread[np.ix_(at, at)].sum())))
    return Scaled(0.0 if abs(value) <= ROUNDING * size else value, error, df)
