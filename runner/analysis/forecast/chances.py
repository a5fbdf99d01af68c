"""How likely repetitions decide a number, by its estimand: for the tests that judge it. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from runner.analysis.claims.case import ALPHA_INSIDE, LEVEL_INSIDE, alpha_outside
from runner.analysis.forecast.block_chance import predicted
from runner.analysis.stats import power, power_more
from runner.analysis.stats.intervals import smallest_n
from runner.analysis.stats.power import Truth, needed
from runner.analysis.stats.shares import clean_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.forecast.chance import Chance
    from runner.analysis.model import ClaimResult
    from runner.analysis.stats.power import Region


@dataclass(frozen=True)
class Powers:
    """The chances of one estimand: a median, another quantile, or a mean."""

    kind: str
    quantile: float = 0.5

    @property
    def share(self) -> float:
        """Share of values below what is estimated."""
        return self.quantile if self.kind == "quantile" else 0.5

    def estimate(self, values: Sequence[float]) -> float:
        """Estimate it of a pilot's values."""
        if self.kind == "mean":
            return statistics.fmean(values)
        if self.kind == "quantile":
            ordered = sorted(values)
            return ordered[min(len(ordered) - 1, round(self.quantile * (len(ordered) - 1)))]
        return statistics.median(values)

    def drawn(self, truth: float, deviation: float) -> Truth:
        """Give normal values of which `truth` is what is estimated."""
        if self.kind != "quantile" or deviation <= 0:
            return Truth(truth, deviation)
        return Truth(truth - deviation * NormalDist().inv_cdf(self.quantile), deviation)

    def inside(self, n: int, region: Region, drawn: Truth) -> float:
        """Give the chance of `reproduced`."""
        if self.kind == "mean":
            return power_more.mean_inside(n, region, drawn, ALPHA_INSIDE)
        return power.inside(n, region, drawn, ALPHA_INSIDE, self.share)

    def outside(self, n: int, region: Region, drawn: Truth, alpha: float) -> float:
        """Give the chance of `contradicted`, one-sided at alpha."""
        if self.kind == "mean":
            return power_more.mean_outside(n, region, drawn, alpha)
        return power.outside(n, region, drawn, alpha, self.share)


def rate_chance(base: Chance, result: ClaimResult, family: int) -> Chance:
    """Say how likely a share of repetitions is decided, the pilot's taken for the true one."""
    region = result.region or (None, None)
    least = smallest_n(LEVEL_INSIDE)
    if base.n[1] < least:
        warning = f"{base.n[1]} repetitions decide no share: at least {least} are needed"
        return replace(base, chance=(0.0, 0.0), needed=least, warning=warning)
    share = result.estimate
    if share is None:
        return replace(base, basis="no pilot: the share is not known", needed=least)
    low, high = region
    within = (low is None or share >= low) and (high is None or share <= high)
    alpha = alpha_outside(region, family) / 2

    def chance(n: int) -> float:
        if within:
            return power_more.rate_inside(n, region, share)
        return power_more.rate_outside(n, region, share, alpha)

    return replace(
        base,
        chance=(chance(base.n[0]), chance(base.n[1])),
        towards="reproduced" if within else "contradicted",
        basis=f"pilot: {share:.1%} of {result.n}; binomial, independent",
        needed=needed(chance),
    )


def universal_chance(base: Chance, bound: float, result: ClaimResult) -> Chance:
    """Say how many repetitions without a counterexample show a bound, and how likely they come.

    With a pilot the chance is averaged over every share that it leaves open (beta-binomial,
    Jeffreys' prior); one counterexample in it leaves a contradiction to be expected.
    """
    wanted = clean_runs(bound)
    short = base.n[1] < wanted
    warning = (
        f"{base.n[1]} repetitions cannot show at most {bound:.2%}: {wanted} without a "
        "counterexample do"
        if short
        else ""
    )
    basis = "one counterexample contradicts it"
    if not result.n or result.estimate is None:
        found = (0.0, 0.0) if short else None
        return replace(base, chance=found, basis=basis, needed=wanted, warning=warning)
    failed = round(result.estimate * result.n)
    clean = [predicted(n, n, result.n - failed, result.n) for n in base.n]
    basis = f"pilot: {failed} of {result.n}; {basis}"
    if failed:
        low, high = (1 - share for share in clean)
        return replace(base, chance=(low, high), towards="contradicted", basis=basis, needed=None)
    low, high = (0.0 if n < wanted else share for n, share in zip(base.n, clean, strict=True))
    return replace(
        base, chance=(low, high), towards="reproduced", basis=basis, needed=wanted, warning=warning
    )
