"""Several runs of one spec: all of them count, and what was widened after data does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.analysis.model import Analysis, Trial
    from runner.records.manifest import Searches
    from runner.spec.claims import Claim
    from runner.spec.experiment import Experiment

    Region = tuple[float | None, float | None]


def pooled(
    parts: Sequence[tuple[str, Analysis, Searches | None]],
) -> tuple[tuple[Trial, ...], Searches | None]:
    """Give the trials and searches of several runs, each run a session of its own.

    `parts` are (run, analysis, searches as recorded). Nothing is paired across sessions.
    """
    trials = tuple(
        replace(trial, session=run) for run, analysis, _ in parts for trial in analysis.trials
    )
    known = [(run, search) for run, _, search in parts if search]
    if not known:
        return trials, None
    searches = tuple(
        msgspec.structs.replace(one, session=run) for run, search in known for one in search.runs
    )
    return trials, msgspec.structs.replace(known[-1][1], runs=searches)


def pooling(runs: Sequence[str]) -> tuple[str, ...]:
    """Say how many runs there were; nothing of one alone."""
    return (f"{len(runs)} runs of this spec, pooled",) if len(runs) > 1 else ()


def widened(before: Experiment, now: Experiment) -> tuple[str, ...]:
    """Name the claims that are easier to reproduce now than when the data were taken."""
    then = {claim.id: claim for claim in before.claims}
    easier_now = []
    for claim in now.claims:
        old = then.get(claim.id)
        if old is None or not (claim.testable and old.testable):
            continue
        easier = claim.limit > old.limit > 0
        pairs = zip(_regions(old, before), _regions(claim, now), strict=False)
        if easier or any(_wider(new, was) for (_, was), (_, new) in pairs):
            easier_now.append(claim.id)
    return tuple(easier_now)


def _regions(claim: Claim, experiment: Experiment) -> Iterable[tuple[str, Region]]:
    if claim.published is None:
        return
    metric = experiment.metrics.get(str(claim.metric))
    unit = claim.unit or (metric.unit if metric is not None else "") or ""
    levels = claim.published.levels or {"": claim.published}
    for level in sorted(levels):
        bounds = levels[level].bounds(unit)
        yield level, claim.margin.widen(bounds, unit) if claim.margin else bounds


def _wider(new: Region, was: Region) -> bool:
    """Whether a region reaches beyond what it was, by more than rounding."""
    sizes = [abs(end) for end in (*new, *was) if end]
    little = 1e-9 * max(sizes, default=0.0)
    low = was[0] is not None and (new[0] is None or new[0] < was[0] - little)
    return low or (was[1] is not None and (new[1] is None or new[1] > was[1] + little))
