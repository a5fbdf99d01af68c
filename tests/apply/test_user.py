"""`workload.user`, `umask` and `stdin`: as a program of that user sees them."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.host.trial import identity
from tests.workers import unique

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs of others")
SPEC = {
    "schema": "experiment/1", "name": "user",
    "workload": {"argv": ["sh", "-c", "id -un; umask; cat; touch {dir}/x && ls -n {dir}"],
                 "run": "once", "user": "nobody", "umask": "027", "stdin": "two\nlines\n"},
    "metrics": {"wall": {"from": "workload.wall"}}, "repeat": 1,
}  # fmt: skip


def run(folder, *, code=0, spec=None, **workload):
    data = {**(spec or SPEC), "workload": {**SPEC["workload"], **workload}}
    (folder / "user.yaml").write_text(json.dumps(data))
    done = subprocess.run(
        [sys.executable, "-m", "runner", "apply", "user.yaml", "--state-dir", folder / "state"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    said = ""
    for path in sorted(folder.glob("reports/*/*/events/*.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            event = json.loads(line)
            said += event["text"] if event["event"] == "output" else ""
    return done, said


def places(folder):
    return list(Path(identity.WHERE).glob(f"{identity.prefix(str(folder / 'state'))}*"))


def test_it_is_another_user_with_its_own_folder_and_input(tmp_path):
    _, said = run(tmp_path)
    name, mask, one, two, _, listed = said.splitlines()[:6]
    assert (name, mask, one, two) == ("nobody", "0027", "two", "lines")
    assert listed.split()[0] == "-rw-r-----"
    assert listed.split()[2] == "65534"
    assert places(tmp_path) == []


def test_a_built_program_can_be_run_by_it_and_its_limits_hold(tmp_path):
    (tmp_path / "main.go").write_text(
        'package main\nimport ("fmt"; "os"; "syscall")\nfunc main() {\n'
        "var l syscall.Rlimit; syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)\n"
        "fmt.Println(os.Getuid(), l.Max)\n}\n"
    )
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.21\n")
    spec = {**SPEC, "build": {"go": "1.22.10"}}
    _, said = run(
        tmp_path, spec=spec, argv=["{binary}"], limits={"nofile": 100},
        cgroup={"memory.max": "64MiB"},
    )  # fmt: skip
    assert said == "65534 100\n"


def test_a_file_of_the_host_is_its_input(tmp_path):
    (tmp_path / "in.txt").write_text("from a file\n")
    _, said = run(tmp_path, argv=["cat"], stdin={"path": str(tmp_path / "in.txt")}, user="0")
    assert said == "from a file\n"


def test_nothing_to_read_where_nothing_is_said(tmp_path):
    _, said = run(tmp_path, argv=["sh", "-c", "cat; echo end"], stdin=None)
    assert said == "end\n"


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        ({"user": "no-such-user"}, "there is no user no-such-user on this host"),
        ({"stdin": {"path": "/no/such/file"}}, "/no/such/file: stdin: No such file"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, workload, said):
    done, _ = run(tmp_path, code=2, **workload)
    assert said in done.stderr


@pytest.mark.parametrize(
    ("workload", "said"),
    [({"user": "a b"}, "cannot name a user"), ({"umask": "9"}, "is not a umask"),
     ({"umask": 22}, "")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(tmp_path, workload, said):
    done, _ = run(tmp_path, code=3, **workload)
    assert said in done.stderr


def test_places_that_a_killed_supervisor_left_are_removed_by_restore(tmp_path):
    state = tmp_path / "state"
    run(tmp_path)
    left = Path(identity.WHERE, f"{identity.prefix(str(state))}{unique('x')}")
    (left / "dir").mkdir(parents=True)
    other = Path(identity.WHERE, f"{identity.prefix(str(tmp_path / 'another'))}{unique('x')}")
    other.mkdir()
    try:
        subprocess.run(
            [sys.executable, "-m", "runner", "restore", "local", "--state-dir", state], check=True
        )
        assert places(tmp_path) == []
        assert other.exists(), "of another state folder"
    finally:
        other.rmdir()
