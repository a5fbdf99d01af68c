"""What the runs of a spec say of its claims: the ledger, and the gate of `verify`.

The gate asks the newest run. The ledger asks the newest run of each kind of host, and of
those, for each claim, the one whose facts are nearest to what the claim declares.
The claims and metrics are those of the spec as it is now; everything else is the
run's record. Where the two were not fixed together, before the data, it is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from runner.analysis.claims.case import NOT_MEASURED, NOT_TESTABLE, REPRODUCED
from runner.analysis.claims.claims import claim_results
from runner.analysis.claims.estimates import estimates
from runner.analysis.claims.must import resolved, table
from runner.analysis.claims.rows import outermost
from runner.analysis.judge import observed, server_facts
from runner.analysis.runs.family import pooled, pooling, widened
from runner.apply.judged import judged
from runner.errors import RecordError
from runner.spec.expand import CLAIMED, SAID_ONLY, claims_hash, expand
from runner.spec.experiment import Experiment
from runner.store.experiment import experiment_of
from runner.store.record import ARTIFACTS, RunFolder
from runner.store.runs import newest, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from runner.analysis.model import ClaimResult
    from runner.spec.claims import Claim

REPORT: Final = "report.md"
ELSEWHERE: Final = ("hosts", "schema")
"""Sections that may differ though the same thing is run: -H chooses another host."""
KIND: Final = ("arch", "board.model", "emulated", "cgroup.version")
"""Facts of a server that make its runs another kind of evidence."""


@dataclass(frozen=True)
class Entry:
    """One spec, one finished run of it, and a verdict for each of its claims."""

    experiment: Experiment
    path: str
    claims: tuple[ClaimResult, ...]
    folder: RunFolder | None = None
    changed: tuple[str, ...] = ()
    """Of claims, metrics, repeat, search: what changed after the run."""
    stale: tuple[str, ...] = ()
    """Sections that decide the trials and are no longer what was run."""
    notes: tuple[str, ...] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the run that claims may name."""
    runs: tuple[str, ...] = ()
    """All runs that the verdicts are of, newest first."""
    widened: tuple[str, ...] = ()
    """Claims that are easier to reproduce than when the data were taken."""

    @property
    def failing(self) -> tuple[ClaimResult, ...]:
        """Required claims that do not hold; one that cannot be tested is not required."""
        return tuple(
            claim
            for claim in self.claims
            if not holds(claim) or (claim.required and _of_any(claim.id, self.widened))
        )

    @property
    def report(self) -> Path | None:
        """The run's report."""
        return None if self.folder is None else self.folder.path / ARTIFACTS / REPORT


def holds(claim: ClaimResult) -> bool:
    """Whether nothing that is required is missing here."""
    return not claim.required or claim.verdict in {REPRODUCED, NOT_TESTABLE}


def _of_any(result: str, claims: Iterable[str]) -> bool:
    return any(result == claim or result.startswith(f"{claim}/") for claim in claims)


def entry(experiment: Experiment, path: str, reports: Path) -> Entry:
    """Judge the finished runs of a spec by the spec's claims: all of the newest's family."""
    folder = newest(reports, experiment.name)
    if folder is None:
        results = claim_results(experiment, (), (), {})
        reason = f"no finished run of {experiment.name} under {reports.name}/"
        return Entry(experiment, path, tuple(_unmeasured(claim, reason) for claim in results))
    kind = _kind(folder, experiment)
    others = [one for one in _finished(experiment, reports) if _kind(one, experiment) == kind]
    one = _entry(experiment, path, folder, others)
    return replace(one, notes=(*_unfinished(reports, experiment.name, folder), *one.notes))


def ledger(experiment: Experiment, path: str, reports: Path) -> list[tuple[ClaimResult, Entry]]:
    """Give for each claim the verdict of the run that tells most of it.

    What a verdict is does not count. A run that is still the spec's goes first, then one
    that measured the claim, then the fewest facts that differ: those that have to match,
    then those that are only noted. Of equals the newest.
    """
    entries = [_entry(experiment, path, group[0], group) for group in _by_kind(experiment, reports)]
    if not entries:
        one = entry(experiment, path, reports)
        return [(claim, one) for claim in one.claims]
    return [
        min(zip(results, entries, strict=True), key=_distance)
        for results in zip(*(one.claims for one in entries), strict=True)
    ]


def _finished(experiment: Experiment, reports: Path) -> list[RunFolder]:
    """Newest first."""
    folders = []
    for path in reversed(runs(reports, experiment.name)):
        try:
            folder = RunFolder.open(path)
            if folder.state == "done":
                server_facts(folder, experiment)
                folders.append(folder)
        except RecordError:
            continue  # a damaged run must not hide the others
    return folders


def _kind(folder: RunFolder, experiment: Experiment) -> tuple[str, ...]:
    facts = server_facts(folder, experiment)
    return tuple(str(facts.get(name)) for name in KIND)


def _by_kind(experiment: Experiment, reports: Path) -> list[list[RunFolder]]:
    """Give the runs of each kind of host, newest first."""
    groups: dict[tuple[str, ...], list[RunFolder]] = {}
    for folder in _finished(experiment, reports):
        groups.setdefault(_kind(folder, experiment), []).append(folder)
    return list(groups.values())


def _family(
    experiment: Experiment, folder: RunFolder, others: Sequence[RunFolder]
) -> tuple[list[RunFolder], int]:
    """Give the runs that are pooled with one, itself first, and how many are of another spec.

    A run belongs to it that measured the same thing: the same sections, the same facts that
    claims ask for.
    """
    asked = {name for claim in experiment.claims for name in claim.must}

    def facts(one: RunFolder) -> dict[str, object]:
        seen = observed(one, with_claims(one, experiment))
        return {name: seen.get(name) for name in asked}

    family, apart = [folder], 0
    if differences(folder.spec, experiment)[1]:
        return family, len(others) - 1
    for other in others:
        if other.id == folder.id:
            continue
        try:
            same = not differences(other.spec, experiment)[1] and facts(other) == facts(folder)
        except RecordError:
            same = False
        family += [other] if same else []
        apart += not same
    return family, apart


def _judged_together(
    experiment: Experiment, family: Sequence[RunFolder]
) -> tuple[ClaimResult, ...]:
    """Judge the claims by the trials of all runs of a family, each a session."""
    parts = [
        (one.id, judged(one, with_claims(one, experiment)), one.manifest.search)
        for one in reversed(family)
    ]
    if len(family) == 1:
        return parts[0][1].claims
    trials, search = pooled(parts)
    asked = with_claims(family[0], experiment)
    of_family = estimates(asked.metrics, trials, search, outermost(asked))
    names = [one.id for one in family]
    return claim_results(asked, of_family, trials, observed(family[0], asked), pooling(names))


def _distance(judged_claim: tuple[ClaimResult, Entry]) -> tuple[bool, bool, int, int]:
    result, one = judged_claim
    claim = _claim(one.experiment, result.id)
    noted = table(claim.note, claim.declared, resolved(one.observed, claim.where))
    return (
        bool(one.stale),
        result.verdict == NOT_MEASURED,
        sum(equal is False for _, _, _, equal in result.facts),
        sum(fact.equal is False for fact in noted),
    )


def _claim(experiment: Experiment, name: str) -> Claim:
    """Find the claim of a result; one with levels has a result for each, `id/level`."""
    fitting = [c for c in experiment.claims if name == c.id or name.startswith(f"{c.id}/")]
    return max(fitting, key=lambda claim: len(claim.id))


def _entry(
    experiment: Experiment, path: str, folder: RunFolder, others: Sequence[RunFolder]
) -> Entry:
    """Judge the runs of one family by the spec's claims; `folder` is the newest."""
    notes: list[str] = []
    seen: dict[str, Any] = {}
    family: list[RunFolder] = [folder]
    wider: tuple[str, ...] = ()
    try:
        seen = observed(folder, with_claims(folder, experiment))
        family, apart = _family(experiment, folder, others)
        if apart:
            notes.append(f"{apart} other finished run(s) measured something else, and do not count")
        claims = _judged_together(experiment, family)
        wider = tuple(dict.fromkeys(name for one in family for name in _widened(one, experiment)))
    except RecordError as error:
        results = claim_results(experiment, (), (), {})
        claims = tuple(_unmeasured(claim, error.message) for claim in results)
    if wider:
        notes.append(f"widened after the data were taken, which does not count: {', '.join(wider)}")
    changed, stale = differences(folder.spec, experiment)
    hashed = folder.manifest.claims_hash
    if hashed and not changed and hashed != claims_hash(experiment):
        # the hash is of the words of its day: a newer schema may say the same differently
        notes.append("the spec language has changed since the run; the claims have not")
    if folder.manifest.spec.committed is False:
        notes.append("the spec was not committed as it was run")
    return Entry(experiment, path, claims, folder, changed, stale, tuple(notes), seen,
                 tuple(one.id for one in family), wider)  # fmt: skip


def _widened(folder: RunFolder, experiment: Experiment) -> tuple[str, ...]:
    try:
        return widened(experiment_of(folder), experiment)
    except RecordError:
        return ()  # the verdicts say already that it cannot be read


def _unmeasured(claim: ClaimResult, reason: str) -> ClaimResult:
    if claim.verdict == NOT_TESTABLE:
        return claim
    return replace(claim, verdict=NOT_MEASURED, reason=reason)


def _unfinished(reports: Path, name: str, folder: RunFolder) -> Iterable[str]:
    later = [path for path in runs(reports, name) if path.name > folder.id]
    if later:
        yield f"{len(later)} newer run(s) did not finish: {', '.join(p.name for p in later[-3:])}"


def with_claims(folder: RunFolder, experiment: Experiment) -> Experiment:
    """Give what was run, with the claims and metrics of `experiment`."""
    ran = experiment_of(folder)
    return ran.model_copy(update={"claims": experiment.claims, "metrics": experiment.metrics})


def differences(
    recorded: Mapping[str, Any], experiment: Experiment
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the sections that changed since: those of the claims, and those of the trials."""
    try:
        # through the model, so that a default which was added since is not a change
        before = expand(Experiment.model_validate(recorded))
    except ValueError:
        before = dict(recorded)
    now = expand(experiment)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    changed = tuple(sorted(name for name in names if name in CLAIMED))
    known_sections = (*SAID_ONLY, *ELSEWHERE, *CLAIMED)
    return changed, tuple(sorted(name for name in names if name not in known_sections))
