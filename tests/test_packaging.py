"""The sdist and the wheel built from it, away from the checkout, do what a user begins with."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from runner.version import __version__

ROOT = Path(__file__).resolve().parents[1]


def test_the_version_is_the_one_of_pyproject():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert data["project"]["version"] == __version__


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give sdist and wheel: the wheel is built from the sdist, which so is all that it needs."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "-o", str(out), str(ROOT)],
        text=True, capture_output=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A venv with the wheel alone, as pip puts it there; its dependencies are those of here."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=60
    )
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install",
         "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", str(built[1])],
        check=True, timeout=110,
    )  # fmt: skip
    site = next((home / "lib").glob("python3*")) / "site-packages"
    here = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    # a name of its own per dependency: the editable install of this checkout must not come along
    for path in here.iterdir():
        if (
            not path.name.startswith(("runner", "_editable", "__editable"))
            and path.suffix != ".pth"
        ):
            target = site / path.name
            if not target.exists():
                target.symlink_to(path)
    return home


def outside():
    """Give the environment without what could lead back to this checkout."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def run(home, *words, cwd, code=0):
    done = subprocess.run(
        [str(home / "bin" / "runner"), *map(str, words)], env=outside(),
        cwd=cwd, text=True, capture_output=True, timeout=110, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout


def test_the_wheel_has_what_the_commands_need_and_no_test(built):
    """Every file of the checkout that a command reads, by way of the sdist; the revision, too."""
    names = set(zipfile.ZipFile(built[1]).namelist())
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "runner", "templates", "experiments"],
        text=True, capture_output=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    packed = {name if name.startswith("runner/") else f"runner/_{name}" for name in tracked if name}
    assert len(packed) > 100
    assert packed - names == set()
    assert "runner/_revision.txt" in names
    assert not [name for name in names if name.startswith("tests")]


def test_the_sdist_has_what_its_readers_look_for(built):
    with tarfile.open(built[0]) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "docs/tutorial.md",
            "schemas/experiment.schema.json"} <= names  # fmt: skip


def test_a_stranger_begins_from_the_wheel(installed, tmp_path):
    """init, validate, apply, report, query, site and the help of the board, in an empty folder.

    Of the wheel that was built from the sdist: it knows the revision, which the sdist carried.
    """
    where = run(installed, "--version", cwd=tmp_path)
    assert where.startswith(f"runner {__version__} (")
    run(installed, "init", cwd=tmp_path)
    run(installed, "validate", "experiment.yaml", cwd=tmp_path)
    (tmp_path / "one.yaml").write_text(
        "schema: experiment/1\nname: one\n"
        "workload: {argv: [echo, '{\"x\": 3}'], run: once}\n"
        "repeat: 2\nmetrics: {x: {from: stdout.json.x}}\n"
    )
    state = tmp_path / "state"
    report = run(installed, "apply", "one.yaml", "--state-dir", state, cwd=tmp_path).strip()
    assert (tmp_path / report).is_file()
    rebuilt = run(installed, "report", "one", cwd=tmp_path).splitlines()[-1].strip()
    assert (tmp_path / rebuilt).is_file()
    assert "one" in run(installed, "query", "select experiment from runs", cwd=tmp_path)
    index = run(installed, "site", "-o", "site", cwd=tmp_path).strip()
    assert (tmp_path / index).is_file()
    assert "virtual" in run(installed, "board", "--help", cwd=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the host as root")
def test_the_demo_comes_with_the_wheel(installed, tmp_path):
    run(installed, "demo", "--check", "--state-dir", tmp_path / "state", cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(os.geteuid() != 0, reason="applies state, as root")
def test_the_demo_of_the_wheel_ends_in_a_report(installed, tmp_path):
    done = subprocess.run(
        [str(installed / "bin" / "runner"), "demo", "--state-dir", str(tmp_path / "state")],
        env=outside(), cwd=tmp_path, text=True, capture_output=True, timeout=380, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / done.stdout.strip().splitlines()[-1]).is_file()
