"""Completion scripts: a shell accepts them, and they know every command and its options."""

import shlex
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


def test_bash_completes_the_name_of_a_spec(tmp_path):
    (tmp_path / "first.yaml").touch()
    ask = (
        "source <(cat); COMP_WORDS=(runner apply fir); COMP_CWORD=2; _shtab_runner; "
        'echo "${COMPREPLY[@]}"'
    )
    assert ask_shell("bash", ["-c", ask], tmp_path).split() == ["first.yaml"]


def test_fish_completes_a_command_its_option_an_action_and_a_spec(tmp_path):
    (tmp_path / "first.yaml").touch()
    for line, answer in (
        ("runner que", "query"),
        ("runner query --col", "--columns"),
        ("runner board bui", "build"),
        ("runner apply fir", "first.yaml"),
    ):
        said = ask_shell("fish", ["-c", f"source; complete -C '{line}'"], tmp_path)
        assert [one.split("\t")[0] for one in said.splitlines()] == [answer], line


def test_zsh_completes_a_command_its_option_an_action_and_a_spec(tmp_path):
    """As typed: its completion system works in an interactive shell only."""
    (tmp_path / "first.yaml").touch()
    (tmp_path / "_runner").write_text(runner("completion", "zsh").stdout)
    # the prompt is made by arithmetic, so that what is typed is not taken for it
    begin = (
        f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -D; PROMPT=$((40 + 2))'> '"
    )
    for typed, answer in (
        ("runner quer", "runner query"),
        ("runner query --col", "--columns"),
        ("runner board bui", "runner board build"),
        ("runner apply fir", "runner apply first.yaml"),
    ):
        ask = (
            "zmodload zsh/zpty; zpty z zsh -f -i; "
            f"zpty -w z {shlex.quote(begin)}; zpty -r z seen '*42> *'; "
            f"zpty -w -n z {shlex.quote(typed)}$'\\t'; "
            f'zpty -r z seen {shlex.quote("*" + answer + "*")}; zpty -d z; print -r -- "$seen"'
        )
        assert answer in ask_shell("zsh", ["-f", "-c", ask], tmp_path), typed


def ask_shell(shell, words, folder):
    """Give what a shell prints that is given its script on stdin."""
    binary = shutil.which(shell)
    if binary is None:
        pytest.skip(f"{shell} is not installed: make tools")
    return subprocess.run(
        [binary, *words], input=runner("completion", shell).stdout, cwd=folder, text=True,
        capture_output=True, timeout=60, check=True,
    ).stdout  # fmt: skip
