"""Go benchmarks as the workload: built as a test binary, run on the host, medians read."""

from __future__ import annotations

import json

BENCH = """\
package tiny

import "testing"

var kept []byte

func BenchmarkTiny(b *testing.B) {
	for i := 0; i < b.N; i++ {
		kept = make([]byte, 4096)
	}
	b.ReportMetric(1.5, "mallocs/op")
}

func BenchmarkOther(b *testing.B) {}
"""
SPEC = """\
schema: experiment/1
name: benched
hosts: {server: local}
BUILD
workload: {go_test: {package: ./tiny, bench: Tiny$, benchmem: true, benchtime: 1000x, count: 3}}
metrics:
  allocs: {from: gobench.allocs_per_op, kind: exact}
  bytes: {from: gobench.Tiny.bytes_per_op}
  mallocs: {from: gobench.mallocs_per_op}
  time: {from: gobench.ns_per_op}
  runs: {from: gobench.iterations}
  exit: {from: workload.exit_code}
"""


def package(folder):
    tiny = folder / "tiny"
    tiny.mkdir()
    (tiny / "go.mod").write_text("module tiny\n\ngo 1.22\n")
    (tiny / "tiny.go").write_text("// Package tiny is measured.\npackage tiny\n")
    (tiny / "tiny_test.go").write_text(BENCH)


def test_benchmarks_of_the_package_that_is_named(local, unchanged):
    package(local.folder)
    local.apply(local.spec(SPEC.replace("BUILD", 'build: {go: "1.22.10"}')))
    (folder,) = (local.reports / "benched").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    found = {item["metric"]: item["median"] for item in analysis["estimates"]}
    assert found["allocs"] == 1
    assert found["bytes"] == 4096
    assert found["mallocs"] == 1.5
    assert found["runs"] == 1000
    assert 1e-8 < found["time"] < 1  # seconds
    assert found["exit"] == 0
    numbers = analysis["trials"][0]["steps"][0]["numbers"]
    assert not any("Other" in name for name in numbers)


def test_without_a_go_it_says_what_to_add(local):
    package(local.folder)
    done = local("apply", str(local.spec(SPEC.replace("BUILD\n", ""))), code=3)
    assert "it does not say which Go" in done.stdout + done.stderr
    assert 'build: {go: "1.22.10"}' in done.stderr
