"""How likely repetitions decide a statement: it holds in a block, or it does not. Pure.

With a pilot, the chance is averaged over every share of true blocks that the pilot
leaves open: beta-binomial with Jeffreys' prior (Gelman et al., Bayesian Data Analysis,
3rd ed. (2013), §2.4-2.8; O'Hagan, Stevens and Campbell 2005, Pharmaceutical Statistics
4, 187-201, call it assurance). With a spread alone nothing is known of the share: what
can be said is how far apart the two sides have to be.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.case import ALPHA, LEVEL_INSIDE
from runner.analysis.stats.intervals import smallest_n
from runner.analysis.stats.power import POWER
from runner.analysis.stats.significance import sign_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.forecast.chance import Chance

_PRIOR: Final = 0.5
_MOST: Final = 200
"""Blocks up to which the number needed is looked for."""


def fewest(n: int, alpha: float) -> int | None:
    """Give the fewest of n blocks that decide one-sided at alpha; None where n are too few."""
    return next((k for k in range(n + 1) if sign_p(k, n) <= alpha), None)


def predicted(at_least: int | None, n: int, true: int, seen: int) -> float:
    """P(at least so many of n blocks are true) after `true` of `seen` were."""
    if at_least is None:
        return 0.0
    a, b = true + _PRIOR, seen - true + _PRIOR
    return min(
        1.0,
        math.fsum(
            math.exp(math.log(math.comb(n, k)) + _beta(k + a, n - k + b) - _beta(a, b))
            for k in range(at_least, n + 1)
        ),
    )


def _beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def statement_chance(
    base: Chance,
    truths: Sequence[bool | None],
    spread: float | None,
    family: int,
    *,
    exact: bool,
) -> Chance:
    """Say how likely the repetitions of `base` decide; `truths` are the pilot's blocks."""
    if exact:
        return replace(base, chance=(1.0, 1.0), basis="exact metrics", needed=1)
    inside = (1 - LEVEL_INSIDE) / 2
    least = smallest_n(LEVEL_INSIDE)
    if base.n[1] < least:
        warning = f"{base.n[1]} blocks decide no statement: at least {least} are needed"
        return replace(base, chance=(0.0, 0.0), needed=least, warning=warning)
    rules = []
    for n in dict.fromkeys(base.n):
        k = fewest(n, inside)
        rules.append(f"{k} of {n}" if k is not None else f"{n} are too few")
    basis = f"reproduced where it holds in at least {' or '.join(rules)} blocks"
    known = [value for value in truths if value is not None]
    if not known:
        if spread is not None:
            basis += f"; {_apart(base.n[1], inside, spread)}"
        return replace(base, basis=basis, needed=least)
    true, seen = sum(known), len(known)
    holds = 2 * true >= seen
    alpha = inside if holds else ALPHA / family
    count = true if holds else seen - true

    def chance(n: int) -> float:
        return predicted(fewest(n, alpha), n, count, seen)

    low, high = chance(base.n[0]), chance(base.n[1])
    wanted = next((n for n in range(least, _MOST) if chance(n) >= POWER), None)
    return replace(
        base,
        chance=(low, high),
        towards="reproduced" if holds else "contradicted",
        basis=f"pilot: it held in {true} of {seen} blocks; {basis}",
        needed=wanted,
    )


def _apart(n: int, alpha: float, spread: float) -> str:
    """Say how far apart two sides have to be for `POWER`; normal, equal spreads, paired.

    P(b > a) = Φ(δ / (s √2)) for a shift of δ (Wolfe and Hogg 1971, The American
    Statistician 25, 27-30).
    """
    k = fewest(n, alpha)
    low, high = 0.5, 1.0
    for _ in range(50):
        share = (low + high) / 2
        held = math.fsum(
            math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k or 0, n + 1)
        )
        low, high = (low, share) if held >= POWER else (share, high)
    apart = NormalDist().inv_cdf(min(high, 1 - 1e-12)) * spread * math.sqrt(2)
    return (
        f"with a spread of {spread:.2%}, {n} blocks do so with a chance of {POWER:.0%} where the "
        f"two sides are {apart:.2%} apart"
    )
