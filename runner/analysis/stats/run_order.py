"""Whether values depend on when they were measured: a trend, or neighbours that are alike.

Repetitions are taken for independent by every interval here. Two tests look for the two
ways in which they are not, each at 5 %:

- Mann and Kendall's test of a trend, two-sided (Mann 1945, Econometrica 13, 245-259;
  Kendall, Rank Correlation Methods, 4th ed. (1975), §4.9 for ties);
- the serial correlation of the ranks at lag 1, one-sided, with its exact mean and variance
  over all orders (Wald and Wolfowitz 1943, Annals of Mathematical Statistics 14, 378-388).

Of independent values 8 to 9 % are called dependent by the two together
(benchmarks/calibration).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA: Final = 0.05
TIED: Final = 1 / 3
"""Share of equal values above which p is taken from shuffled orders."""
SHUFFLES: Final = 1999
_LOOK: Final = 0.2
SMALLEST: Final = 5
"""Values under which nothing is looked for: of 4 not even a sorted order is rare enough. Of the
120 orders of 5 eight are called dependent, the sorted ones among them."""
ENOUGH: Final = 30
"""Values from which on a correlation of 0.5 is found mostly: none is merely assumed away."""
FOUND: Final[tuple[tuple[int, float | None, float | None], ...]] = (
    (6, None, 6.8), (7, None, 4.7), (8, None, 4.3), (9, None, 3.7),
    (10, None, 3.4), (11, None, 3.3), (12, None, 3.1), (13, 0.92, 3.0), (14, 0.84, 2.8),
    (15, 0.81, 2.7), (16, 0.77, 2.6), (18, 0.71, 2.4), (20, 0.65, 2.3), (22, 0.61, 2.2),
    (25, 0.57, 2.1), (30, 0.5, 1.9), (35, 0.46, 1.7), (40, 0.43, 1.6), (50, 0.39, 1.4),
    (60, 0.34, 1.3),
)  # fmt: skip
"""n, the smallest lag-1 correlation and the smallest linear drift over the run (in spreads
of one repetition) that the check finds with a chance of 80 %; None where there is none.
Simulated on normal values: benchmarks/calibration, "What the run-order check finds"."""


@dataclass(frozen=True)
class RunOrder:
    """What was found in the order of measuring."""

    n: int
    trend: float
    """Kendall's tau of value and position: from -1 to 1."""
    trend_p: float
    lag: float
    """Correlation of the ranks of neighbours."""
    lag_p: float

    @property
    def found(self) -> bool:
        """Whether the values depend on when they were measured."""
        return self.trend_p <= ALPHA or self.lag_p <= ALPHA

    def text(self) -> str:
        """Say what was found, or what would have been."""
        if self.trend_p <= ALPHA:
            way = "rise" if self.trend > 0 else "fall"
            return f"values {way} in run order (tau = {self.trend:+.2f}, p = {self.trend_p:.2g})"
        if self.lag_p <= ALPHA:
            return (
                "values that follow each other are alike "
                f"(correlation {self.lag:+.2f}, p = {self.lag_p:.2g})"
            )
        return f"no order effect was found; {power_text(self.n)}"


def check(values: Sequence[float]) -> RunOrder | None:
    """Look for an order effect in values as they were measured; None where nothing can be seen."""
    n = len(values)
    if n < SMALLEST or len(set(values)) < 2:
        return None
    tau, trend_p = _trend(values)
    ranks = _ranks(values)
    lag, lag_p = _lag(ranks)
    if max(Counter(values).values()) > n * TIED and min(trend_p, lag_p) <= _LOOK:
        trend_p, lag_p = _shuffled(ranks)
    return RunOrder(n, tau, trend_p, lag, lag_p)


def _shuffled(ranks: Sequence[float]) -> tuple[float, float]:
    """Give both p of random orders: of values that are mostly alike the normal ones are wrong."""
    import numpy as np

    x = np.asarray(ranks) - (len(ranks) + 1) / 2
    orders = np.random.default_rng(0).permuted(np.tile(x, (SHUFFLES, 1)), axis=1)
    at = np.arange(len(x)) - (len(x) - 1) / 2
    slope, product = abs(float(x @ at)), float(x[1:] @ x[:-1])
    steeper = int(np.sum(np.abs(orders @ at) >= slope - 1e-9))
    closer = int(np.sum(np.sum(orders[:, 1:] * orders[:, :-1], axis=1) >= product - 1e-9))
    return (1 + steeper) / (1 + SHUFFLES), (1 + closer) / (1 + SHUFFLES)


def _trend(values: Sequence[float]) -> tuple[float, float]:
    n = len(values)
    score = sum(
        (values[j] > values[i]) - (values[j] < values[i]) for i in range(n) for j in range(i + 1, n)
    )
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(values).values())
    spread = math.sqrt((n * (n - 1) * (2 * n + 5) - ties) / 18)
    z = max(0.0, abs(score) - 1) / spread
    return 2 * score / (n * (n - 1)), min(1.0, 2 * NormalDist().cdf(-z))


def _lag(ranks: Sequence[float]) -> tuple[float, float]:
    n = len(ranks)
    middle = (n + 1) / 2
    x = [rank - middle for rank in ranks]
    two, four = math.fsum(v**2 for v in x), math.fsum(v**4 for v in x)
    product = math.fsum(a * b for a, b in itertools.pairwise(x))
    mean = -two / n
    apart = (3 * two**2 - 6 * four) / (n * (n - 1) * (n - 2) * (n - 3))
    square = (
        (n - 1) * (two**2 - four) / (n * (n - 1))
        + 2 * (n - 2) * (2 * four - two**2) / (n * (n - 1) * (n - 2))
        + (n - 2) * (n - 3) * apart
    )
    variance = square - mean**2
    if variance <= 0:
        return 0.0, 1.0
    return product / two, NormalDist().cdf(-(product - mean) / math.sqrt(variance))


def _ranks(values: Sequence[float]) -> list[float]:
    """Give midranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for place in range(at, end + 1):
            ranks[order[place]] = (at + end) / 2 + 1
        at = end + 1
    return ranks


def smallest(n: int) -> tuple[float | None, float | None]:
    """Give the smallest correlation and the smallest drift found with 80 % at n values."""
    known = [row for row in FOUND if row[0] <= n]
    return known[-1][1:] if known else (None, None)


def power_text(n: int) -> str:
    """Say what the check would find with a chance of 80 %."""
    rho, drift = smallest(n)
    effects = [
        f"a correlation of neighbours from {rho:g} on" if rho is not None else "",
        f"a drift of {drift:g} spreads over the run" if drift is not None else "",
    ]
    smallest_effect = " or ".join(filter(None, effects))
    if not smallest_effect:
        return f"at n = {n} no correlation below 1 and no usual drift is found with 80 %"
    return f"at n = {n} the check finds {smallest_effect} with 80 %"


def assumed(n: int) -> str:
    """Say that independence is assumed, where n values can hardly show the contrary."""
    if n >= ENOUGH:
        return ""
    return f"assuming independent repetitions ({power_text(n)})"
