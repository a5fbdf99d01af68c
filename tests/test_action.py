"""The GitHub action: its steps, run as a runner of GitHub would, annotate and fail as promised."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.command import ROOT, RUNS, SPEC, changed

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}


def step(name, folder, **inputs):
    """Run one step with its inputs filled in as GitHub does, by its environment alone."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    command = bin_ / "runner"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m runner "$@"\n')
    command.chmod(0o755)
    given = {key: value.get("default", "") for key, value in ACTION["inputs"].items()} | inputs
    env = {
        key: given[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for key, value in STEPS[name].get("env", {}).items()
    }
    return subprocess.run(
        [shutil.which("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]],
        cwd=folder, text=True, capture_output=True, timeout=110, check=False,
        env={**os.environ, **env, "PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
             "GITHUB_STEP_SUMMARY": str(folder / "summary.md")},
    )  # fmt: skip


def test_claims_that_hold_pass_and_the_summary_says_so(tmp_path):
    done = step("verify", tmp_path, specs=str(SPEC), reports=str(RUNS))
    assert done.returncode == 0, done.stderr
    assert "all of 4 hold" in Path(tmp_path / "summary.md").read_text()


def test_a_claim_that_does_not_hold_fails_with_an_annotation(tmp_path):
    spec = changed(tmp_path, ", required: false", "")
    done = step("verify", tmp_path, specs=str(spec), reports=str(RUNS))
    assert done.returncode == 1
    assert done.stdout.startswith("::")


def test_what_is_in_an_input_is_never_a_command(tmp_path):
    evil = "$(touch pwned) `touch pwned` ; touch pwned"
    done = step("verify", tmp_path, specs=evil, reports=str(RUNS))
    assert done.returncode != 0
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", STEPS)
def test_no_step_puts_an_input_into_its_script(name):
    assert "${{" not in STEPS[name]["run"]


def test_the_hooks_name_commands_that_exist():
    from runner.cli import COMMANDS

    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")):
        assert hook["entry"].split()[0] == "runner"
        assert hook["entry"].split()[1] in COMMANDS
