"""Committed records say what they said: rebuilt from their events, but for what is listed here."""

from pathlib import Path

import pytest

from runner.analysis.judge import judge_trial
from runner.apply.judged import complete, judged
from runner.store import analysis_file
from runner.store.experiment import of_record
from runner.store.files import read_json
from runner.store.record import RunFolder

REPORTS = Path(__file__).resolve().parents[2] / "reports"
RUNS = sorted(path.parent for path in REPORTS.glob("*/*/run.json"))

FEW = "a statement about a few blocks says nothing below five"
BLOCKS = "a statement that holds in 0 of 7 blocks needs one block more to be contradicted"
CHANGED = {
    "certificate-rotation": FEW,
    "store-and-forward": FEW,
    "stack-shrink": BLOCKS,
}
"""Experiments whose committed verdicts were given by older rules; CHANGELOG.md has them."""


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_a_committed_record_gives_the_verdicts_that_it_gave(path):
    folder = RunFolder.open(path)
    assert folder.manifest.schema in {"run/1", "run/2"}
    stored = analysis_file.from_data(read_json(path / "artifacts" / "analysis.json"))
    found = judged(folder, of_record(folder))
    before = {claim.id: claim.verdict for claim in stored.claims}
    now = {claim.id: claim.verdict for claim in found.claims}
    assert before.keys() == now.keys()
    if folder.experiment not in CHANGED:
        assert now == before


@pytest.mark.parametrize("path", RUNS[::4], ids=lambda path: path.name)
def test_a_trial_alone_is_judged_as_in_the_whole_run(path):
    """What is said when a trial ends is what the report says of it."""
    folder = RunFolder.open(path)
    if not complete(folder):
        pytest.skip("git left its events out")
    experiment = of_record(folder)
    for trial in judged(folder, experiment).trials[:20]:
        assert judge_trial(folder, experiment, trial.id) == trial
