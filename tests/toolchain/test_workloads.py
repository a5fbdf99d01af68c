"""The committed Go workloads compile for every board and pass their own tests."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.toolchain import BuildRequest, build, default_cache_dir, run_process

WORKLOADS = Path(__file__).parents[2] / "experiments/published/go-under-32mb/workloads"
PROGRAMS = sorted(p.parent.name for p in WORKLOADS.glob("*/main.go"))


@pytest.fixture
def tool(go):
    def tool(*argv):
        env = {**os.environ, **go.env, "GOFLAGS": ""}
        return run_process([str(go.path), *argv], env=env, cwd=WORKLOADS, timeout_s=900)

    return tool


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tags", ["", "plain"])
def test_vet_finds_nothing(tool, tags):
    ran = tool("vet", f"-tags={tags}", "./...")
    said = [line for line in ran.stderr.splitlines() if not line.startswith("go: downloading")]
    assert (ran.code, said) == (0, [])


@pytest.mark.timeout(900)
def test_formatted(go):
    gofmt = go.path.with_name("gofmt")
    ran = run_process([str(gofmt), "-l", "."], env={}, cwd=WORKLOADS)
    assert (ran.code, ran.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_their_own_tests_pass(tool):
    ran = tool("test", "./...")
    assert ran.code == 0, ran.stdout + ran.stderr


def test_the_module_is_tidy_and_for_go_1_22(tool):
    lines = (WORKLOADS / "go.mod").read_text().splitlines()
    assert "go 1.22" in lines
    assert not [line for line in lines if line.startswith("toolchain")]
    ran = tool("mod", "verify")
    assert ran.code == 0, ran.stderr


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["pingserver", "fastping"])
@pytest.mark.parametrize("goarch", ["arm64", "arm", "amd64"])
def test_the_servers_build_for_every_board(go, name, goarch):
    sizes = {}
    for tags in ((), ("plain",)):
        request = BuildRequest(
            WORKLOADS,
            f"./{name}",
            goos="linux",
            goarch=goarch,
            env={"CGO_ENABLED": "0"},
            tags=tags,
        )
        made = build(request, go, default_cache_dir())
        assert (made.machine, made.dynamic) == (goarch, False)
        sizes[tags] = made.size
    assert sizes["plain",] < sizes[()]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("goarch", ["arm64", "arm"])
def test_everything_builds_for_arm(go, goarch):
    for name in PROGRAMS:
        request = BuildRequest(WORKLOADS, f"./{name}", goos="linux", goarch=goarch)
        assert build(request, go, default_cache_dir()).machine == goarch


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "flags", "key"),
    [
        ("stackpark", ["-goroutines", "10", "-gcs", "1"], "settled_bytes"),
        ("pacedalloc", ["-duration", "50ms", "-live", "100000"], "gcs"),
        ("touch", ["-bytes", "1048576"], "minor_faults"),
        ("memstatscost", ["-calls", "10", "-heap", "1024"], "memstats_over_metrics"),
        ("poolkeep", ["-rounds", "2"], "pool"),
        ("leak", ["-timeout", "20ms"], "growth_bytes"),
        ("certreload", ["-rotations", "1", "-every", "50ms"], "failed"),
        ("gateway", ["-scale", "6000", "-sensors", "10"], "lost"),
        ("estimator", ["-bytes", "1048576"], "article_worst_error"),
    ],
)
def test_programs_print_one_json_document(go, name, flags, key):
    made = build(BuildRequest(WORKLOADS, f"./{name}"), go, default_cache_dir())
    ran = run_process([str(made.path), *flags], env={"PATH": "/usr/bin:/bin"})
    assert ran.code == 0, ran.stderr
    assert key in json.loads(ran.stdout)
    wrong = run_process([str(made.path), "-no-such-flag"], env={})
    assert wrong.code == 2


@pytest.mark.timeout(900)
def test_the_benchmarks_are_one_test_binary(go):
    made = build(BuildRequest(WORKLOADS, "./httpbench", test=True), go, default_cache_dir())
    argv = [str(made.path), "-test.run=^$", "-test.bench=ServerOnly", "-test.benchtime=10x"]
    ran = run_process(argv, env={})
    assert "BenchmarkServerOnly/nethttp" in ran.stdout
    assert "BenchmarkServerOnly/fasthttp" in ran.stdout
    assert "mallocs/op" in ran.stdout


@pytest.mark.timeout(900)
def test_what_the_article_gets_wrong_about_the_compiler(go):
    """-l turns inlining off; &buf moves buf to the heap."""

    def said(*gcflags):
        request = BuildRequest(WORKLOADS, "./poolkeep", gcflags=gcflags)
        return build(request, go, default_cache_dir()).stderr

    assert "moved to heap: buf" in said("-m")
    assert "can inline" in said("-m")
    assert "can inline" not in said("-l", "-m")
