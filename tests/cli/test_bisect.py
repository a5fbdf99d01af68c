"""A repository that a script makes, and the commit in it that made the program slower."""

import json

import pytest

from runner.errors import SpecError
from runner.planning.against import between
from runner.spec.experiment import Experiment
from tests.cli.command import alone
from tests.cli.repository import MAIN, commit, git, program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SPEC = """\
schema: experiment/1
name: slower
build: {go: "1.22.10", package: ./prog}
workload: {argv: ["{binary}"], run: once}
metrics: {cpu: {from: workload.user_cpu, unit: ms, better: lower}}
"""
COMMITS, SLOWER, BROKEN = 10, 6, 5


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Ten commits after the first; the sixth does half as much again, the fifth does not build."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "slower.yaml").write_text(SPEC)
    git(folder, "init", "-q")
    for number in range(COMMITS + 1):
        body = MAIN % (150_000_000 if number >= SLOWER else 100_000_000)
        text = body if number != BROKEN else "package main\n\nfunc main() { does not build }\n"
        program(folder, f"// version {number}\n{text}")
        commit(folder, f"version {number}")
    return folder


def run(folder, *words, code):
    return alone(folder, "bisect", "slower.yaml", *words, code=code)


def test_the_commit_is_found_and_one_that_does_not_build_is_stepped_over(repository):
    done = run(repository, "--good", f"HEAD~{COMMITS}", "--bad", "HEAD", "--json", code=0)
    said = json.loads(done.stdout)
    slower = git(repository, "rev-parse", f"HEAD~{COMMITS - SLOWER}")
    # the one before it does not build, so it may be either of both
    assert (said["first"], said["last"]) == (BROKEN, SLOWER)
    assert said["commits"][SLOWER] == {"hash": slower, "subject": f"version {SLOWER}"}
    assert said["confidence"] >= 0.95
    assert list(said["skipped"]) == [str(BROKEN)]
    assert "does not build" not in said["why"]
    measured = {at for at, _ in said["sequence"]}
    assert {0, COMMITS} <= measured
    assert len(measured) < COMMITS, "not every commit was measured"
    (report,) = repository.glob("reports/slower/*/artifacts/report.md")
    page = report.read_text()
    assert "## Bisect" in page
    assert f"“version {BROKEN}”" in page


def test_two_ends_that_are_alike_have_nothing_between_them(repository):
    done = run(repository, "--good", "HEAD~2", "--bad", "HEAD", "--most", "24", code=2)
    assert "nothing to find: the two ends cannot be told apart" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--good", "HEAD", "--bad", "HEAD~3"), "is no ancestor of"),
        (("--good", "nosuch", "--bad", "HEAD"), "nosuch is not a revision"),
        (("--good", "HEAD~1", "--bad", "HEAD", "--metric", "x"), "no such metric"),
        (("--good", "HEAD~1", "--bad", "HEAD", "--confidence", "7"), "above 50% and below 100%"),
    ],
)
def test_what_cannot_be_bisected_is_said_before_anything_is_run(repository, words, said):
    done = run(repository, *words, code=2 if "revision" in said or "ancestor" in said else 3)
    assert said in done.stderr


BASE = {"schema": "experiment/1", "workload": {"argv": ["x"], "run": "once"},
        "build": {"go": "1.22.10"}, "metrics": {"m": {"from": "workload.wall"}}}  # fmt: skip


def test_other_factors_stand_at_the_baseline():
    spec = Experiment.model_validate({**BASE, "factors": {"a": ["x", "y"]}, "baseline": {"a": "x"}})
    made, rest = between(spec, ["1" * 40, "2" * 40])
    assert rest == {"a": "x"}
    assert list(made.factors["version"].levels) == ["1" * 12, "2" * 12]
    with pytest.raises(SpecError, match="measures one treatment"):
        between(Experiment.model_validate({**BASE, "factors": {"a": ["x", "y"]}}), ["1" * 40])
