"""The runs of a submission's shares as one run: one record, judged as any other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from runner.analysis.judge import judge
from runner.report.pages import rebuild
from runner.spec.expand import expand
from runner.store.record import EVENTS, RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runner.analysis.model import Analysis
    from runner.records.manifest import State
    from runner.spec.experiment import Experiment


@dataclass(frozen=True)
class Together:
    """What the shares came to."""

    folder: RunFolder
    analysis: Analysis
    report: Path


def put_together(
    shares: Sequence[RunFolder], experiment: Experiment, text: str, reports: Path, run: str
) -> Together:
    """Make one run of them under `reports`; trials, facts, changes and events as they are."""
    boards = tuple(dict.fromkeys(name for one in shares for name in one.manifest.hosts))
    hosts = experiment.hosts.model_copy(update={"server": boards})
    experiment = experiment.model_copy(update={"hosts": hosts})
    first = shares[0].manifest
    states = {one.state for one in shares}
    state: State = "done" if states == {"done"} else "interrupted"
    manifest: dict[str, object] = {
        **{name: getattr(first, name) for name in
           ("spec", "git", "tools", "spec_hash", "run_hash", "claims_hash", "command")},
        "shares": {one.id: name for one in shares for name in one.manifest.hosts},
    }  # fmt: skip
    for name in ("hosts", "builds", "generators", "trials", "recap", "left_out"):
        manifest[name] = {k: v for one in shares for k, v in getattr(one.manifest, name).items()}
    manifest["environment"] = {
        k: v for one in shares for k, v in (one.manifest.environment or {}).items()
    }
    manifest["power"] = [died for one in shares for died in one.manifest.power]
    if first.order is not None:
        orders = [one.manifest.order for one in shares if one.manifest.order is not None]
        manifest["order"] = msgspec.structs.replace(
            first.order,
            slots=tuple(slot for one in orders for slot in one.slots),
            boards={k: v for one in orders for k, v in one.boards.items()},
            moved=tuple(move for one in orders for move in one.moved),
        )
    searches = [one.manifest.search for one in shares if one.manifest.search is not None]
    if searches:
        manifest["search"] = msgspec.structs.replace(
            searches[0], runs=tuple(searched for one in searches for searched in one.runs)
        )
    begun = min(one.manifest.started_at or 0.0 for one in shares)
    folder = RunFolder.create(
        reports, experiment.name, run_id=run, at=begun, spec_text=text, spec=expand(experiment),
        manifest=manifest,
    )  # fmt: skip
    with folder:
        folder.write_facts({k: v for one in shares for k, v in one.facts.items()})
        for one in shares:
            for change in one.changes:
                folder.append_change(change)
            for path in sorted((one.path / EVENTS).glob("*.jsonl*")):
                shutil.copy2(path, folder.path / EVENTS / path.name)
        analysis = judge(folder, experiment)
        rebuild.write_analysis(folder, analysis)
        ended = max(one.manifest.ended_at or begun for one in shares)
        left = sum(one.state != "done" for one in shares)
        why = f"{left} of {len(shares)} shares are not done" if left else ""
        folder.finish(state, at=ended, why=why)
        return Together(folder, analysis, rebuild.write(folder, analysis))
