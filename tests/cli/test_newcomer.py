"""What a newcomer trips over has a good answer: what is wrong, where, and what to do next."""

import json
import os
import subprocess

import pytest

from tests.cli.command import FIRST, SECOND, runner
from tests.workers import unique

RUNS = (FIRST, SECOND)
RUN = """\
schema: experiment/1
name: first
workload: {argv: [echo, hi], run: once}
metrics: {wall: {from: workload.wall, unit: ms}}
repeat: 2
"""


@pytest.fixture
def spec(tmp_path):
    def write(text=RUN, **changes):
        for old, new in changes.items():
            text = text.replace(old, new)
        (tmp_path / "exp.yaml").write_text(text)
        return tmp_path / "exp.yaml"

    return write


def test_an_empty_list_of_boards_says_how_one_is_started(tmp_path):
    folders = {name: str(tmp_path) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME")}
    assert "no board yet: `runner board up" in runner("board", "list", **folders).stderr


def test_a_bare_five_is_not_five_hundred_percent(spec):
    done = runner("plan", spec(), "--offline", "--spread", "5", code=3)
    assert "--spread 5 is 500%" in done.stderr
    assert "write 5%" in done.stderr
    done = runner("compare", *RUNS, "--threshold", "5", code=3)
    assert "--threshold 5 is 500%" in done.stderr


def test_a_limit_that_names_nobody_is_said(spec):
    done = runner("apply", spec(), "--limit", "nosuch", code=3)
    assert "no host and no group of the inventory matches `nosuch`" in done.stderr


def test_a_host_that_is_in_no_inventory_is_shown_as_what_it_is(tmp_path):
    inventory = tmp_path / "hosts.yaml"
    inventory.write_text("hosts: {pi4: {address: 192.0.2.10}}\n")
    done = runner("hosts", "nosuch", "-i", inventory)
    assert "not in the inventory, so a name of ~/.ssh/config: nosuch; it has pi4" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('claims: [{id: a, quote: x, expect: "wall => 3ms"}]', "write `>=`"),
        ('claims: [{id: a, quote: x, expect: "wall = 3ms"}]', "write `==`"),
        (
            "report: {table: {columns: [wall], title: 7-zip, in MIPS}}",
            "a text with a comma? Write that text",
        ),
        ('build: {go: "1.22.10", package: ../elsewhere}', "lies outside"),
    ],
)
def test_slips_of_a_spec_are_answered(spec, line, said):
    done = runner("validate", spec(RUN + line + "\n"), code=3)
    assert said in done.stdout + done.stderr


def test_runs_that_have_nothing_in_common_are_not_compared():
    done = runner("compare", f"tests/cli/runs/sizes/{FIRST}",
                  "reports/quickstart/20261127T170110Z-cde82f", code=3)  # fmt: skip
    assert "have no metric in common" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the host as root")
def test_a_plan_names_what_the_kernel_has_not_and_shows_files_by_their_size(spec, tmp_path):
    (tmp_path / "blob").write_bytes(bytes(range(200, 250)) * 6)
    text = RUN + (
        f"system: {{sysctl: {{vm.nosuch: 1}}, files: {{{tmp_path}/put: {{src: blob}}}}}}\n"
    )
    done = runner("plan", spec(text), "--state-dir", tmp_path / "state")
    assert "sysctl:vm.nosuch: would fail (the kernel has no such key)" in done.stdout
    assert "1 of 2 resources would change, 1 would fail" in done.stdout
    assert "→ file 300 B" in done.stdout
    assert "bytes_b64" not in done.stdout
    done = runner("apply", "--check", spec(text), "--state-dir", tmp_path / "state", code=2)
    assert "cannot be brought about on local" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the host as root")
def test_a_package_that_does_not_exist_is_refused(spec, tmp_path):
    text = RUN + f"system: {{packages: [{unique('nosuch')}]}}\n"
    done = runner("plan", spec(text), "--state-dir", tmp_path / "state", code=None)
    assert "knows no package" in done.stdout + done.stderr or "apt" in done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="runs an experiment, as root")
def test_a_repository_without_a_commit_is_no_obstacle(spec, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    runner("apply", spec(), "--state-dir", tmp_path / "s", reports=tmp_path / "r")
    (made,) = (tmp_path / "r" / "first").iterdir()
    assert json.loads((made / "run.json").read_text())["git"]["why"] == (
        "the repository has no commit yet"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_is_named_and_not_a_traceback(spec, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount")
    try:
        (small / "full").write_bytes(bytes(16_384))
        done = runner("doctor", "--state-dir", small / "state", code=2)
        assert "No space left on device" in done.stderr
        assert "free some space there" in done.stderr
    finally:
        subprocess.run(["umount", small], check=True)
