"""Which commit made a metric worse, when every measurement of it is noisy. Pure.

Commits stand in a row, the good one first and the bad one last; from one of them on the
metric is worse. Each such commit is a hypothesis: it cuts the values into those before and
those from it on, with two means and one spread, none of them known. Under the usual flat
priors (of the means, and of the logarithm of the spread) what the values say of it is

    p(values | cut) ∝ (n_before · n_from) ** -1/2 · SSE ** (-(n - 2) / 2)

where SSE is the sum of squares within both sides (Smith, Biometrika 62 (1975) 407-416). The
commit that is measured next is the one that halves what is still possible (probabilistic
bisection: Horstein, IEEE Trans. Inf. Theory 9 (1963) 136-143): the same one is asked again
until the answer is clear, no longer. In between both ends are measured again.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFIDENCE: Final = 0.95
FIRST: Final = 4
"""Values of each end before anything between them is asked."""
MOST_OF_AN_END: Final = 48
"""Values of each end after which two ends that cannot be told apart are alike."""
SURE: Final = 0.005
"""How probable it may be that two ends differ by chance alone, where the search begins."""
EVERY: Final = 6
"""Values of commits between, after which each end is measured again."""


@dataclass(frozen=True)
class Answer:
    """What the measurements say: the first bad commit, or the shortest range that has it."""

    first: int
    last: int
    """Place of the earliest and of the latest commit that it may be."""
    confidence: float
    why: str = ""
    """Why it is no single commit, or why there is none."""

    @property
    def found(self) -> bool:
        """Whether anything was found: two ends that are alike have no commit between them."""
        return self.last >= self.first


@dataclass
class Bisection:
    """The search over commits 0 (good) … last (bad); values are larger the worse they are."""

    last: int
    confidence: float = CONFIDENCE
    most: int = 400
    """Values in all at most."""
    values: dict[int, list[float]] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    """Commits that cannot be measured: they do not build."""

    @property
    def taken(self) -> int:
        """How many values there are."""
        return sum(map(len, self.values.values()))

    def record(self, commit: int, value: float) -> None:
        """Take one value of a commit."""
        self.values.setdefault(commit, []).append(value)

    def skip(self, commit: int) -> None:
        """Note that a commit cannot be measured."""
        self.skipped.add(commit)

    def next(self) -> int | Answer:
        """Give the commit to measure now, or the answer."""
        good, bad = self.values.get(0, []), self.values.get(self.last, [])
        end = 0 if len(good) <= len(bad) else self.last
        if min(len(good), len(bad)) < FIRST:
            return end
        if not _differ(good, bad):
            enough = min(len(good), len(bad)) >= MOST_OF_AN_END or self.taken >= self.most
            return Answer(1, 0, 0.0, "the two ends cannot be told apart") if enough else end
        if self.taken >= self.most:
            return self._range(f"{self.most} values were taken, as many as were allowed")
        return self._between(end)

    def _between(self, end: int) -> int | Answer:
        """Give the next commit between two ends that differ; `end` is the one that is due first."""
        chance = self.posterior()
        group = self._group(chance)
        if sum(chance[at] for at in group) >= self.confidence:
            return self._answer(group, chance)
        return end if self._due() else self._halving(chance)

    def _due(self) -> bool:
        """Whether an end is to be measured again: each once in so many values."""
        ends = len(self.values.get(0, [])) + len(self.values.get(self.last, [])) - 2 * FIRST
        return (self.taken - ends - 2 * FIRST) >= EVERY // 2 * (ends + 1)

    def posterior(self) -> dict[int, float]:
        """Give how probable each commit is the first bad one, by its place from 1 on."""
        logs = {at: self._log(at) for at in range(1, self.last + 1)}
        top = max(logs.values())
        weights = {at: math.exp(log - top) for at, log in logs.items()}
        total = sum(weights.values())
        return {at: weight / total for at, weight in weights.items()}

    def _log(self, cut: int) -> float:
        before = [v for at, own in self.values.items() if at < cut for v in own]
        after = [v for at, own in self.values.items() if at >= cut for v in own]
        one, other = statistics.fmean(before), statistics.fmean(after)
        if other <= one:
            return -math.inf  # what is looked for is worse
        squares = sum((v - one) ** 2 for v in before) + sum((v - other) ** 2 for v in after)
        free = len(before) + len(after) - 2
        scale = abs(other) or 1.0
        # values without any spread: exact ones, such as sizes
        squares = max(squares, (1e-9 * scale) ** 2)
        return -0.5 * math.log(len(before) * len(after)) - free / 2 * math.log(squares)

    def _group(self, chance: Mapping[int, float]) -> range:
        """Give the most probable commit with those that nothing can tell it from."""
        best = max(chance, key=lambda at: chance[at])
        first = last = best
        while first - 1 in self.skipped:
            first -= 1
        while last in self.skipped and last < self.last:
            last += 1
        return range(first, last + 1)

    def _answer(self, group: range, chance: Mapping[int, float]) -> Answer:
        sure = sum(chance[at] for at in group)
        why = "" if len(group) == 1 else "commits between them do not build"
        return Answer(group[0], group[-1], sure, why)

    def _halving(self, chance: Mapping[int, float]) -> int | Answer:
        """Give the commit that halves what is still possible, of those that can be measured."""
        below = 0.0
        best: tuple[float, int] | None = None
        for at in range(1, self.last):
            below += chance[at]
            if at not in self.skipped:
                away = abs(below - 0.5)
                best = min(best or (away, at), (away, at))
        if best is None:
            return self._range("nothing between the two ends builds")
        return best[1]

    def _range(self, why: str) -> Answer:
        """Give the shortest run of commits that has the confidence that was asked for."""
        chance = self.posterior()
        best: tuple[int, float, int] | None = None
        for first in chance:
            total = 0.0
            for last in range(first, self.last + 1):
                total += chance[last]
                if total >= self.confidence or last == self.last:
                    if total >= min(self.confidence, 1 - 1e-9):
                        best = min(best or (last - first, -total, first),
                                   (last - first, -total, first))  # fmt: skip
                    break
        width, less, first = best or (self.last - 1, -1.0, 1)
        return Answer(first, first + width, -less, why)


def _differ(good: Sequence[float], bad: Sequence[float]) -> bool:
    """Whether the bad end is worse, by Welch's one-sided test.

    By the normal tail of a t with few degrees of freedom: Wallace's transformation
    (Annals of Mathematical Statistics 30 (1959) 1124-1130).
    """
    away = statistics.fmean(bad) - statistics.fmean(good)
    parts = [statistics.variance(own) / len(own) for own in (good, bad)]
    if away <= 0:
        return False
    if not sum(parts):
        return True
    t = away / math.sqrt(sum(parts))
    df = sum(parts) ** 2 / sum(p**2 / (len(o) - 1) for p, o in zip(parts, (good, bad), strict=True))
    z = (8 * df + 1) / (8 * df + 3) * math.sqrt(df * math.log1p(t**2 / df))
    return statistics.NormalDist().cdf(-z) <= SURE
