"""Real builds with a real Go."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.errors import ToolchainError
from runner.toolchain import BuildRequest, build, read_elf, run_process
from runner.toolchain.build import _argv
from runner.toolchain.elf import parse_elf

MAIN = """package main

import _ "embed"

//go:embed greeting.txt
var greeting string

func add(a, b int) int { return a + b }

func main() { println(greeting, add(1, 2)) }
"""
BENCH = """package main

import "testing"

func BenchmarkAdd(b *testing.B) {
	for i := 0; i < b.N; i++ {
		add(i, i)
	}
}
"""
OTHER = "package main\n\nfunc main() {}\n"


class Counting:
    """Runs for real, and counts what compiles."""

    def __init__(self):
        self.builds = 0

    def __call__(self, argv, **rest):
        self.builds += argv[1] == "build" or argv[1:3] == ["test", "-c"]
        return run_process(argv, **rest)


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "module"
    (folder / "other").mkdir(parents=True)
    (folder / "go.mod").write_text("module example\n\ngo 1.22\n")
    (folder / "main.go").write_text(MAIN)
    (folder / "greeting.txt").write_text("hello")
    (folder / "main_test.go").write_text(BENCH)
    (folder / "other" / "main.go").write_text(OTHER)
    return folder


@pytest.fixture
def make(module, tmp_path, go):
    def make(**request):
        make.run = Counting()
        return build(BuildRequest(package_dir=module, **request), go, tmp_path / "cache", make.run)

    return make


def test_an_unchanged_build_is_not_built_again(make):
    first = make()
    assert (first.cached, make.run.builds) == (False, 1)
    again = make()
    assert (again.cached, make.run.builds) == (True, 0)
    assert {**vars(first), "cached": True} == vars(again)
    assert first.size == first.path.stat().st_size
    assert first.toolchain == "1.22.10"
    ran = run_process([str(first.path)], env={})
    assert ran.stderr == "hello 3\n"


@pytest.mark.parametrize(
    "change",
    [
        {"ldflags": ("-s", "-w")},
        {"gcflags": ("-l",)},
        {"tags": ("other",)},
        {"trimpath": True},
        {"goarch": "arm64"},
        {"env": {"GOAMD64": "v2", "CGO_ENABLED": "0"}},
        {"test": True},
    ],
)
def test_another_flag_is_another_build(make, change):
    first = make()
    other = make(**change)
    assert not other.cached
    assert other.path != first.path
    assert make(**change).cached
    assert make().cached


@pytest.mark.parametrize("name", ["main.go", "greeting.txt", "go.mod"])
def test_a_changed_source_is_built_again(make, module, name):
    make()
    comment = "\n" if name == "greeting.txt" else "\n// changed\n"
    with (module / name).open("a") as file:
        file.write(comment)
    assert not make().cached


def test_files_of_other_packages_do_not_matter(make, module):
    make()
    (module / "other" / "main.go").write_text(OTHER + "// changed\n")
    (module / "main_test.go").write_text(BENCH + "// changed\n")
    (module / "README").write_text("changed")
    assert make().cached
    assert not make(package="./other").cached


def test_a_damaged_output_is_built_again(make):
    first = make()
    first.path.write_bytes(b"torn")
    again = make()
    assert not again.cached
    assert again.sha256 == first.sha256
    assert make().cached


def test_the_users_own_settings_do_not_leak_in(module, tmp_path, go, monkeypatch):
    request = BuildRequest(package_dir=module)
    first = build(request, go, tmp_path / "cache")
    monkeypatch.setenv("GOFLAGS", "-ldflags=-s")
    monkeypatch.setenv("GOARCH", "arm64")
    monkeypatch.setenv("GOROOT", "/nonexistent")
    monkeypatch.setenv("GOEXPERIMENT", "loopvar")
    again = build(request, go, tmp_path / "cache")
    assert again.cached
    assert again.sha256 == first.sha256


def test_what_the_compiler_says_with_m_is_kept(make):
    first = make(gcflags=("-m",))
    assert "can inline add" in first.stderr
    assert make(gcflags=("-m",)).stderr == first.stderr
    assert "can inline" not in make(gcflags=("-l", "-m")).stderr


def test_a_compile_error_is_shown_as_it_is_with_the_command(make, module):
    (module / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(ToolchainError) as error:
        make(ldflags=("-s", "-w"), env={"CGO_ENABLED": "0"})
    lines = error.value.message.splitlines()
    assert lines[0] == "CGO_ENABLED=0 go build '-ldflags=-s -w' -o module ."
    assert "./main.go:3:15: undefined: undefined" in lines
    with pytest.raises(ToolchainError):  # a failure is not kept as a success
        make(ldflags=("-s", "-w"), env={"CGO_ENABLED": "0"})


@pytest.mark.parametrize("package", ["./absent", "no.such.host/x"])
def test_a_package_that_is_not_there_is_go_s_own_error(make, package):
    with pytest.raises(ToolchainError, match="go build"):
        make(package=package)


def test_a_folder_that_is_not_there(tmp_path, go):
    with pytest.raises(ToolchainError, match="no folder"):
        build(BuildRequest(package_dir=tmp_path / "absent"), go, tmp_path / "cache")


def test_a_package_without_tests_has_no_test_binary(make):
    with pytest.raises(ToolchainError, match="without test files"):
        make(package="./other", test=True)


def test_a_test_binary_runs_its_benchmarks(make, tmp_path):
    made = make(test=True)
    assert made.command.startswith("go test -c")
    ran = run_process(
        [str(made.path), "-test.run=^$", "-test.bench=.", "-test.benchtime=10x"], env={}
    )
    assert "BenchmarkAdd" in ran.stdout


@pytest.mark.parametrize("goarch", ["amd64", "arm64", "arm"])
def test_cross_builds_are_for_their_machine(make, go, goarch):
    made = make(goos="linux", goarch=goarch, env={"CGO_ENABLED": "0"}, ldflags=("-s", "-w"))
    assert made.machine == goarch
    assert (made.stripped, made.dynamic) == (True, False)
    assert made.sections[".text"] > 100_000
    assert sum(made.sections.values()) < made.size
    shown = subprocess.run(
        [go.path, "tool", "buildid", made.path], capture_output=True, text=True, check=True
    )
    assert made.build_id == shown.stdout.strip()
    if goarch == "arm":
        assert "GOARM=7" in made.command


def test_cgo_off_changes_nothing_in_a_cross_build(make):
    default = make(goos="linux", goarch="arm64")
    off = make(goos="linux", goarch="arm64", env={"CGO_ENABLED": "0"})
    assert default.build_id == off.build_id
    assert default.sha256 == off.sha256


def test_a_trimmed_build_does_not_depend_on_its_folder(make, module, tmp_path, go):
    first = make(trimpath=True)
    moved = tmp_path / "moved"
    module.rename(moved)
    again = build(BuildRequest(package_dir=moved, trimpath=True), go, tmp_path / "cache")
    assert again.cached
    assert again.sha256 == first.sha256


def test_symbols_are_seen(make):
    assert make().stripped is False
    assert make(ldflags=("-s",)).stripped is True


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 80]
)
def test_what_is_no_elf_file_is_none(data, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert read_elf(path) is None


def test_an_elf_file_without_go_has_no_build_id():
    info = parse_elf(Path("/bin/sh").read_bytes())
    assert info is not None
    assert info.build_id == ""
    assert info.dynamic


def test_every_flag_of_the_spec_reaches_the_compiler():
    """None is read and forgotten: the command that is recorded has them all."""
    request = BuildRequest(
        Path(), ldflags=("-s",), gcflags=("-N",), asmflags=("-D=x",), tags=("a", "b"),
        trimpath=True, race=True, flags=("-buildvcs=false",),
    )  # fmt: skip
    argv = _argv(request, "go", "out")
    for word in ("-trimpath", "-tags=a,b", "-ldflags=-s", "-gcflags=-N", "-asmflags=-D=x", "-race",
                 "-buildvcs=false"):  # fmt: skip
        assert word in argv[: argv.index("-o")]
