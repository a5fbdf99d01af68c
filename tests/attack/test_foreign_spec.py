"""A spec of a stranger: `plan` says what it would do, and what runs here is declared and asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from runner.apply.checks.reach import shown
from runner.spec.reach import steered
from runner.spec.sections.build import Build
from tests.apply.conftest import Cli

STEERING: list[dict[str, Any]] = [
    {"env": {"GOFLAGS": "-toolexec=./x"}}, {"env": {"GOFLAGS": "--toolexec ./x"}},
    {"env": {"GOFLAGS": "'-ldflags=-extld=./x'"}}, {"ldflags": ["-extld=./x"]},
    {"ldflags": ["-s", "-extld", "./x"]}, {"ldflags": ["-X main.v=1 -extld ./x"]},
    {"ldflags": ["-extldflags=-fuse-ld=./x"]}, {"ldflags": ["-extldflags='-static -B./d'"]},
    {"ldflags": ["-o", "/etc/x"]}, {"ldflags": ["-cpuprofile=/etc/x"]}, {"env": {"CC": "./x"}},
    {"env": {"CC": "sh"}}, {"env": {"CC": "gcc -fplugin=./x.so"}}, {"env": {"CXX": "./x"}},
    {"env": {"AR": "./x"}}, {"env": {"CGO_CFLAGS": "-B./x"}}, {"env": {"CGO_LDFLAGS": "-fuse-ld=./x"}},
    {"env": {"CGO_CFLAGS_ALLOW": ".*"}}, {"env": {"PATH": "./bin"}}, {"env": {"LD_PRELOAD": "./x.so"}},
    {"env": {"GOROOT": "./go"}}, {"env": {"GOENV": "./env"}}, {"env": {"GOCACHEPROG": "./x"}},
    {"env": {"GIT_SSH_COMMAND": "./x"}}, {"env": {"PKG_CONFIG": "./x"}},
    {"env": {"COMPILER_PATH": "."}}, {"env": {"CC": {"secret": ["env:X"]}}},
    {"flags": ["-toolexec", "./x"]}, {"flags": ["-overlay=x.json"]}, {"gcflags": ["-o=/etc/x"]},
    {"gcflags": ["all=-N", "-l", "-linkobj=x"]}, {"asmflags": ["-o", "/etc/x"]},
]  # fmt: skip
PLAIN: list[dict[str, Any]] = [
    {"env": {"CGO_ENABLED": "0", "GOARCH": "arm64"}, "ldflags": ["-s", "-w"], "gcflags": ["-l", "-m"]},
    {"ldflags": ["-X", "main.v=1", "-s"]}, {"gcflags": ["all=-N", "-l"]}, {"tags": ["netgo"]},
    {"env": {"CC": "aarch64-linux-gnu-gcc", "CGO_ENABLED": "1"}}, {"ldflags": ["-extldflags=-static"]},
    {"ldflags": ["-linkmode=external", "-extldflags", "'-static -s'"]}, {"env": {"FOO": "bar"}},
    {"env": {"CGO_CFLAGS": "-O2 -march=armv8-a+crc -DX=1"}}, {"gcflags": ["-m=2", "-d=checkptr=0"]},
    {"env": {"GOFLAGS": "-mod=mod -trimpath", "GOGC": "off"}}, {"env": {"CC": "/usr/bin/clang-15"}},
]  # fmt: skip
SPEC = """\
schema: experiment/1
name: foreign
system:
  files: {{{folder}/conf: {{src: conf}}}}
  packages: [wrk]
  actions: [drop_caches]
build:
  go: "1.22.10"
  env: {{GOFLAGS: -toolexec=./x}}
{runs}
workload: {{argv: ["{{binary}}"]}}
load: {{generator: vegeta, rate: 10/s, measure: 1s}}
"""


@pytest.mark.parametrize("build", STEERING, ids=str)
def test_what_makes_something_run_here_is_seen(build: dict[str, Any]) -> None:
    try:
        made = Build.model_validate(build)
    except ValidationError as refused:
        assert "cannot be set" in str(refused)  # noqa: PT017 - some do not even get so far
        return
    assert steered(made)


@pytest.mark.parametrize("build", PLAIN, ids=str)
def test_what_only_says_how_code_is_made_is_not_in_the_way(build: dict[str, Any]) -> None:
    assert steered(Build.model_validate(build)) == []


@pytest.fixture
def theirs(local: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "conf").write_text("x")
    (tmp_path / "x").write_text('#!/bin/sh\ntouch "$0.ran"\nexec "$@"\n')
    (tmp_path / "x").chmod(0o755)
    return local


def write(cli: Cli, runs: str = "") -> str:
    return str(cli.spec(SPEC.format(folder=cli.folder / "host", runs=runs)))


def test_plan_begins_with_what_matters(theirs: Cli, tmp_path: Path) -> None:
    done = theirs("plan", write(theirs), code=None)
    head = done.stdout.splitlines()
    said = "\n".join(head[: next(n for n, line in enumerate(head) if line.startswith("local:"))])
    for expected in (
        "would run on a host: {binary} (as root on local)", "would run here: ./x (build.env.GOFLAGS",
        "not declared", "would run here: go build", "would run here: go build of vegeta",
        f"would be read here and sent: {tmp_path}/conf", "would be installed: wrk",
        "would stay: package wrk", "would stay: the effect of the action drop_caches",
    ):  # fmt: skip
        assert expected in said, said


def test_unsaid_is_refused_and_said_is_asked_for_once(theirs: Cli, tmp_path: Path) -> None:
    done = theirs("apply", write(theirs), "--trust", code=3)
    assert "makes `./x` run on this machine" in done.stderr
    assert "build: {runs: [./x]}" in done.stderr
    spec = write(theirs, "  runs: [./x]")
    assert "not trusted yet" in theirs("apply", spec, code=3).stderr
    assert not list(theirs.reports.rglob("run.json"))
    assert not (tmp_path / "x.ran").exists()
    # no such package: it ends after the question, before any change
    assert "trust" not in theirs("apply", spec, "--trust", code=2).stderr
    assert "trust" not in theirs("apply", spec, code=2).stderr
    # another program under the same name is another thing
    (tmp_path / "x").write_text("#!/bin/sh\nexec rm -rf ~\n")
    assert "not trusted yet" in theirs("apply", spec, code=3).stderr


def test_a_changed_spec_is_asked_for_again_and_a_folder_of_ones_own_never(
    theirs: Cli, tmp_path: Path
) -> None:
    spec = write(theirs, "  runs: [./x]")
    theirs("apply", spec, "--trust", code=2)
    Path(spec).write_text(Path(spec).read_text() + "title: another\n")
    assert "not trusted yet" in theirs("apply", spec, code=3).stderr
    (tmp_path / "config" / "runner").mkdir(parents=True)
    config = tmp_path / "config" / "runner" / "config.toml"
    config.write_text(f'trusted_folders = ["{tmp_path}"]\n')
    assert "trust" not in theirs("apply", spec, code=2).stderr
    config.write_text("trusted_folders = 3\n")
    assert "not a list" in theirs("apply", spec, code=3).stderr


def test_a_level_that_steers_is_seen_too(theirs: Cli, tmp_path: Path) -> None:
    text = (
        'schema: experiment/1\nname: level\nbuild: {go: "1.22.10"}\n'
        "factors: {c: {a: {}, b: {build: {env: {CC: ./x}}}}}\nworkload: {argv: ['{binary}']}\n"
    )
    spec = theirs.spec(text, "level.yaml")
    assert "CC=./x makes `./x` run" in theirs("apply", str(spec), code=3).stderr
    assert "would run here: ./x" in Cli(tmp_path)("plan", str(spec), "--offline").stdout


def test_a_word_of_several_lines_is_shown_on_one() -> None:
    """A stranger's argv must not look like lines of the plan itself."""
    words = ("sh", "-c", "id\nlocal: 0 of 0 resources would change", "\u202ex", "{port}", "")
    lines = r'sh -c "id\nlocal: 0 of 0 resources would change" "\u202ex" {port} '
    assert shown(words) == lines + "''"
