"""What a command line costs before it does anything, and what it says of itself."""

import re
import subprocess
import sys

import pytest

from runner.cli import COMMANDS
from tests.cli.command import ROOT, runner

HEAVY = ("pydantic", "fabric", "paramiko", "numpy", "scipy", "jinja2", "yaml", "tabulate")
PROBE = """
import sys
from runner.cli import main
code = main({words!r})
print("LOADED", *sorted(name for name in {heavy!r} if name in sys.modules))
sys.exit(code)
"""


def loaded(*words):
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(words=list(words), heavy=HEAVY)],
        cwd=ROOT, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.rpartition("LOADED")[2].split()


@pytest.mark.parametrize("words", [["--help"], [], ["--version"], ["no-such-command"]])
def test_help_imports_nothing_heavy(words):
    assert loaded(*words) == []


@pytest.mark.parametrize("command", [*COMMANDS])
def test_help_of_each_command_imports_nothing_heavy(command):
    assert loaded(command, "--help") == []


def test_every_command_is_there():
    text = runner("--help").stdout
    listed = re.findall(r"^ {4}(\w+)\b", text, re.MULTILINE)
    assert listed == [*COMMANDS]
    assert len(listed) >= 20


def test_readme_lists_the_commands():
    """The table is that of `runner --help`, in its order and its words."""
    readme = (ROOT / "README.md").read_text()
    table = re.findall(r"^\| `runner ([a-z]+)` \| (.*) \|$", readme, re.MULTILINE)
    assert table == list(COMMANDS.items())
    text = re.sub(r"\s+", " ", runner("--help").stdout)
    assert all(f" {name} {said} " in text for name, said in table)
    named = set(re.findall(r"`runner ([a-z]+)\b", readme))
    assert named <= set(COMMANDS)


def test_a_wrong_command_line_is_64():
    assert runner("compare", code=64).stderr.startswith("usage:")
    assert "invalid choice" in runner("no-such-command", code=64).stderr


def test_only_the_kinds_that_a_spec_names_are_imported():
    """Most specs use two or three of the many; entry points are not read either."""
    code = (
        "import sys; from runner.cli import main; main(['validate', sys.argv[1]]); "
        "print(*sorted(n for n in sys.modules if n.startswith('runner.kinds.')))"
    )
    spec = str(ROOT / "experiments" / "quickstart.yaml")
    done = subprocess.run(
        [sys.executable, "-c", code, spec], cwd=ROOT, text=True, capture_output=True, check=True
    )
    found = {name for name in done.stdout.splitlines()[-1].split() if name.count(".") == 3}
    kinds = {name for name in found if "._" not in name and not name.endswith("interface")}
    assert "runner.kinds.resources.cgroup" in kinds
    assert not {name for name in kinds if name.rpartition(".")[2] in ("swap", "perf", "vegeta")}
    assert len(kinds) < 15, kinds
