"""Everything that users get wrong: one clear message, an exit code of its own, state restored."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from tests.apply.conftest import NAME, ROOT, groups
from tests.apply.specs import running, spec
from tests.workers import free_port


def test_faults_of_a_spec_are_all_said_with_their_place(local):
    """Exit 3, file:line:col, caret and nearest name; no host is touched."""
    file = local.spec("schema: experiment/1\nname: x\nworklod: {}\nsample: {hz: fast}\n")
    done = local("validate", str(file), code=3)
    assert "exp.yaml:3:1: " in done.stdout
    assert "workload" in done.stdout
    assert "exp.yaml:4:" in done.stdout
    assert "^" in done.stdout


def test_missing_spec(local):
    """A file that is not there is exit 3."""
    done = local("apply", "no-such.yaml", code=3)
    assert "no-such.yaml" in done.stderr


def test_missing_generator_says_how_to_get_it(local, unchanged, monkeypatch, tmp_path):
    """wrk missing: exit 2 and the exact fix."""
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    done = local("apply", str(local.spec(spec())), code=2)
    assert "has no wrk" in done.stderr
    assert "packages: [wrk]" in done.stderr


def test_taken_port(local, unchanged):
    """A port of somebody else's: said, exit 2, nothing measured."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = spec(isolated=False).replace("  network: host", f"  network: host\n  port: {port}")
        found = local.apply(local.spec(text), code=2)
    assert found["trials"][0]["outcome"] == "error"
    assert str(port) in found["trials"][0]["why"]


def test_go_version_that_does_not_exist(local, unchanged):
    """Exit 2 before any host is changed."""
    text = spec().replace("workload:", 'build: {go: "1.22.99", package: .}\nworkload:')
    done = local("apply", str(local.spec(text)), code=2)
    assert "1.22.99" in done.stderr


def test_unmet_requirement(local, unchanged):
    """`requires` is checked before anything is touched."""
    text = spec().replace("system:", "requires:\n  server.arch: {equals: vax}\nsystem:")
    done = local("apply", str(local.spec(text)), code=2)
    assert "arch is" in done.stderr
    assert "vax" in done.stderr


def test_unreachable_host(ssh, unchanged):
    """Nothing listens there: exit 4, with what to do."""
    hosts = ssh.folder / "hosts.yaml"
    hosts.write_text(f"hosts:\n  board: {{address: 127.0.0.1, port: {free_port()}}}\n")
    done = ssh("apply", str(ssh.spec(spec())), code=4)
    assert "board" in done.stderr
    assert "fix:" in done.stderr


def test_unknown_host_key_is_refused_and_accepted_once(ssh, unchanged):
    """known_hosts is enforced; `--accept-new-host-key` trusts once and remembers."""
    known = ssh.folder / "known_hosts"
    known.write_text("")
    file = str(ssh.spec(spec().split("workload:", maxsplit=1)[0]))
    done = ssh("apply", file, code=4)
    assert "--accept-new-host-key" in done.stderr
    ssh("apply", file, "--accept-new-host-key")
    assert known.read_text()
    ssh("apply", file)


def test_second_controller_is_told_who_holds_the_host(local, unchanged):
    """Exit 5 while another run holds the host."""
    process = local.start("apply", str(local.spec(spec(seconds=8))))
    running(process, lambda: groups(local.folder))
    done = local("apply", str(local.spec(spec(), "second.yaml")), code=5)
    assert "busy" in done.stderr
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said


PACKAGES = sysconfig.get_path("purelib")


def python_for(uid: int) -> str:
    """Find an interpreter of this version that another user can run with our packages."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(OSError):
            done = subprocess.run(
                [python, "-c", "import runner.apply.run, pydantic_core"], user=uid, cwd=ROOT,
                env={"PYTHONPATH": PACKAGES}, capture_output=True, check=False,
            )  # fmt: skip
            if done.returncode == 0:
                return python
    return pytest.skip("no interpreter of this version can be run by another user here")


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_without_root_everything_that_needs_it_is_named(local, unchanged):
    """One message names each resource that needs root."""
    import pwd

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("no user nobody here")
    # pytest's own folders are closed to others
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        text = spec().replace(f"{{{NAME}:", f"{{vm.dirty_ratio: 33, {NAME}:")
        file = folder / "exp.yaml"
        file.write_text(text.split("workload:", maxsplit=1)[0])
        python = python_for(nobody.pw_uid)
        done = subprocess.run(
            [python, "-m", "runner", "apply", str(file), "--state-dir",
             str(folder / "state"), "--reports", str(folder / "reports")],
            cwd=ROOT, user=nobody.pw_uid, group=nobody.pw_gid, capture_output=True, text=True,
            env={**local.env(), "HOME": name, "PYTHONPATH": PACKAGES}, check=False,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "sysctl:vm.dirty_ratio" in done.stderr
    assert f"sysctl:{NAME}" in done.stderr
    assert "root" in done.stderr
