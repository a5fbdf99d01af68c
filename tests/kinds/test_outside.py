"""Kinds that an outside package brings: installed, found by name, used, and recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apply.specs import spec
from tests.cli.command import ROOT, runner

PLUGIN = Path(__file__).parents[1] / "plugin"


def install(source: Path, site: Path) -> Path:
    """Install a package into a folder of its own, as pip does for users, without a network."""
    copy = site.with_name("source")
    shutil.copytree(source, copy)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--disable-pip-version-check", "--no-warn-conflicts",
         "--root-user-action", "ignore", "--target", str(site), str(copy)],
        check=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    return install(PLUGIN, tmp_path_factory.mktemp("plugin") / "site")


@pytest.fixture
def beside(site) -> dict[str, str]:
    """What makes the installed package visible to a command."""
    return {"PYTHONPATH": f"{ROOT}:{site}"}


def test_all_are_listed_with_package_and_version(beside):
    said = runner("kinds", **beside).stdout
    for name, group in (
        ("sample_file", "resources"), ("uptime", "sources"), ("sample_load", "generators"),
        ("sample_timeout", "lint"), ("sample_bars", "figures"),
    ):  # fmt: skip
        assert f"| `{name}` | {group} | runner-sample | 1.2 |" in said
    assert "| `uptime.up` | s | time since the host was booted |" in said
    assert "| `sample_load` | closed | connections | python3 |" in said


MORE = """\
metrics: {up: {from: uptime.up, per: step, unit: s}, rate: {from: load.rps, per: step, unit: "/s"}}
report: {figures: [{kind: sample_bars, show: [up], over: step}]}
"""


@pytest.fixture
def sample(local) -> Path:
    """A spec that uses one of each."""
    text = spec(more=MORE)
    text = text.replace("\nload:\n", "\nload:\n  generator: sample_load\n").replace(
        "  threads: 1\n", ""
    )
    text = text.replace("system:\n", "system:\n  sample_file: {key: vm/laptop_mode, value: 3}\n")
    return local.spec(text)


def test_a_spec_uses_one_of_each(local, sample, beside, monkeypatch):
    """Applied, loaded, sampled, drawn, restored; the record names the package."""
    monkeypatch.setenv("PYTHONPATH", beside["PYTHONPATH"])
    key = Path("/proc/sys/vm/laptop_mode")
    before = key.read_text()
    found = local.apply(sample)
    assert key.read_text() == before
    (trial,) = found["trials"]
    numbers = trial["steps"][0]["numbers"]
    assert numbers["load.requests"] > 0
    assert numbers["uptime.up"] > 0
    run = Path(found["report"]).parents[1]
    assert "sample_file:key" in (run / "changes.jsonl").read_text()
    assert (run / "artifacts" / "figures" / "asked-1.svg").is_file()
    said = json.loads((run / "run.json").read_text())["tools"]["runner-sample"]["version"]
    assert (
        said
        == "1.2 (figures.sample_bars, generators.sample_load, resources.sample_file, sources.uptime)"
    )
    assert (
        "1 s are less than a server may take [sample-timeout]"
        in local("lint", str(sample), code=None).stdout
    )


def test_without_the_package_each_name_is_refused_where_it_stands(local, sample):
    said = local("validate", str(sample), code=3).stdout
    assert "4 faults" in said
    for name in ("sample_file", "uptime", "sample_load", "sample_bars"):
        assert name in said


def broken(site: Path, folder: Path, group: str, name: str, text: str) -> dict[str, str]:
    """Another package, made by hand, that brings one kind."""
    (folder / "other").mkdir(parents=True)
    (folder / "other" / "__init__.py").write_text(text)
    info = folder / "other-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[runner.{group}]\n{name} = other\n")
    return {"PYTHONPATH": f"{ROOT}:{site}:{folder}"}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "odd",
            "import nothing_like_it",
            "other 0.1, which cannot be imported: ModuleNotFoundError",
        ),
        ("odd", "1 / 0", "other 0.1, which cannot be imported: ZeroDivisionError"),
        ("odd", "", "other 0.1 has no KIND"),
        ("sample_load", "", "two packages bring `sample_load` of runner.generators"),
        ("wrk", "", "other brings `wrk` of runner.generators, and runner has that name itself"),
    ],
)
def test_a_package_that_does_not_fit_is_an_error_that_names_it(
    local, site, monkeypatch, name, text, why
):
    env = broken(site, local.folder / "broken", "generators", name, text)
    monkeypatch.setenv("PYTHONPATH", env["PYTHONPATH"])
    wanted = "odd" if name == "wrk" else name
    file = local.spec(spec().replace("\nload:\n", f"\nload:\n  generator: {wanted}\n"))
    assert why in local("validate", str(file), code=3).stdout


def test_entry_points_are_not_read_where_every_name_is_known(local, beside, monkeypatch):
    """They take longer than all else at start-up."""
    monkeypatch.setenv("PYTHONPATH", beside["PYTHONPATH"])
    file = local.spec(spec())
    code = (
        "import sys; from runner.cli import main; main(['validate', sys.argv[1]]); "
        "from runner.kinds import discovery; print(discovery._points.cache_info().misses)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0"
