"""`runner bench`: a spec that validates, two commands told apart, nothing given to a shell."""

import json

import pytest
import yaml

from runner.cli.bench import text
from runner.errors import SpecError
from tests.cli.command import runner


def test_two_commands_are_levels_and_the_first_is_the_baseline(tmp_path):
    spec = yaml.safe_load(text(["sleep 0.01", "sh -c 'exit 0'"], 7))
    assert spec["factors"]["command"]["sh -c 'exit 0'"] == {
        "workload": {"argv": ["sh", "-c", "exit 0"]}
    }
    assert spec["baseline"] == {"command": "sleep 0.01"}
    file = tmp_path / "b.yaml"
    file.write_text(text(["sleep 0.01", "echo a"], 7, {"sysctl": {"vm.swappiness": 10}}))
    runner("validate", file)


@pytest.mark.parametrize(
    ("commands", "runs"), [([""], 5), (["a 'b"], 5), (["echo {x}"], 5), (["a"], 0)]
)
def test_what_cannot_be_run_is_refused(commands, runs):
    with pytest.raises(SpecError):
        text(commands, runs)


def test_the_slower_command_is_slower(tmp_path):
    done = runner("bench", "sleep 0.05", "sleep 0.15", "--runs", "3", "--json", "--state-dir", tmp_path / "state",
                  "--reports", tmp_path / "reports", "--spec", tmp_path / "bench.yaml", cwd=tmp_path)  # fmt: skip
    run = json.loads(done.stdout)
    assert len(run["trials"]) == 6
    (folder,) = (tmp_path / "reports" / "bench").iterdir()
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    walls = {
        e["treatment"]["command"]: e["median"]
        for e in analysis["estimates"]
        if e["metric"] == "wall"
    }
    assert walls["sleep 0.15"] - walls["sleep 0.05"] == pytest.approx(0.1, abs=0.02)
    report = (folder / "artifacts" / "report.md").read_text()
    assert "sleep 0.15" in report


def test_a_spec_that_is_there_is_kept(tmp_path):
    (tmp_path / "bench.yaml").write_text("mine")
    error = runner("bench", "true", "--spec", tmp_path / "bench.yaml", code=3, cwd=tmp_path).stderr
    assert "is there" in error
    assert (tmp_path / "bench.yaml").read_text() == "mine"
