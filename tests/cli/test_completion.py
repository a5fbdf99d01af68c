"""Completion scripts: a shell accepts them, and they know every command and its options."""

import shutil
import subprocess

import pytest

from runner.cli import COMMANDS
from tests.cli.command import runner


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_knows_every_command_and_an_option_of_one(shell):
    script = runner("completion", shell).stdout
    for command in COMMANDS:
        assert command in script
    assert "accept-new-host-key" in script


def test_bash_completes_a_command_and_its_option(tmp_path):
    script = tmp_path / "runner.bash"
    script.write_text(runner("completion", "bash").stdout)
    ask = (
        f"source {script}; COMP_WORDS=(runner que); COMP_CWORD=1; _shtab_runner; "
        'echo "${COMPREPLY[@]}"; COMP_WORDS=(runner query --col); COMP_CWORD=2; _shtab_runner; '
        'echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [shutil.which("bash"), "-c", ask], text=True, capture_output=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["query", "--columns"]
