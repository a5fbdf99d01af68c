"""Two versions of a program side by side: a regression is found, none where there is none."""

import json

import pytest

from runner.errors import SpecError
from runner.planning.against import against
from runner.spec.experiment import Experiment
from tests.cli.command import alone
from tests.cli.repository import MAIN, commit, git, program

pytestmark = pytest.mark.timeout(300)
SPEC = """\
schema: experiment/1
name: versions
build: {go: "1.22.10", package: ./prog}
workload: {argv: ["{binary}"], run: once}
repeat: {between: [8, 8], order: {by: blocks, seed: 1}}
metrics: {cpu: {from: workload.user_cpu, unit: ms, better: lower}}
"""


@pytest.fixture
def repository(tmp_path):
    program(tmp_path, MAIN % 150_000_000)
    (tmp_path / "versions.yaml").write_text(SPEC)
    git(tmp_path, "init", "-q")
    commit(tmp_path, "base")
    return tmp_path


def run(folder, *words, code):
    return alone(folder, "apply", "versions.yaml", *words, code=code)


def test_a_regression_is_found_and_none_where_there_is_none(repository):
    (repository / "prog" / "main.go").write_text(MAIN % 195_000_000)
    done = run(repository, "--against", "HEAD", "--format", "markdown", code=1)
    assert "✗ worse" in done.stdout
    (record,) = (repository / "reports" / "versions").iterdir()
    builds = json.loads((record / "run.json").read_text())["builds"]
    commit = builds["HEAD"]["source"]
    assert len(commit) == 40
    assert builds["head"]["source"].startswith(f"{commit}+"), "what is not committed has a hash"
    assert "worse" in (record / "artifacts" / "against.md").read_text()
    (repository / "prog" / "main.go").write_text(MAIN % 150_000_000)
    done = run(repository, "--against", "HEAD", "--threshold", "20%", code=0)
    assert "= equivalent" in done.stdout
    newest = max((repository / "reports" / "versions").iterdir())
    builds = json.loads((newest / "run.json").read_text())["builds"]
    assert builds["HEAD"]["sha256"] == builds["head"]["sha256"], "equal sources, equal programs"


def test_a_revision_that_is_not_there_is_an_error_before_anything_is_run(repository):
    done = run(repository, "--against", "nosuch", code=2)
    assert "build.ref nosuch is not a revision" in done.stderr


BASE = {"schema": "experiment/1", "workload": {"argv": ["x"], "run": "once"},
        "build": {"go": "1.22.10"}, "metrics": {"m": {"from": "workload.wall"}}}  # fmt: skip


def test_the_factor_is_laid_beside_those_of_the_spec():
    spec = Experiment.model_validate({**BASE, "factors": {"a": ["x", "y"]}, "baseline": {"a": "x"}})
    made = against(spec, "main")
    assert list(made.factors) == ["version", "a"]
    assert made.baseline == {"a": "x", "version": "main"}
    assert made.factors["version"].levels["main"]["build"] == {"ref": "main", "trimpath": True}


@pytest.mark.parametrize(
    ("change", "ref", "said"),
    [
        ({"build": None}, "main", "needs `build`"),
        ({"factors": {"version": ["x", "y"]}}, "main", "has one"),
        ({"metrics": {}}, "main", "has none"),
        ({}, "head", "is the working tree"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, ref, said):
    with pytest.raises(SpecError, match=said):
        against(Experiment.model_validate({**BASE, **change}), ref)
