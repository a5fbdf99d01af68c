"""strace: its recorded table, a preflight, and a real trial with a real strace."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runner.apply.checks import preflight
from runner.errors import HostError
from runner.kinds.sources.interface import Printed
from runner.kinds.sources.syscalls import PARSER, traced
from runner.spec.experiment import Experiment
from tests.specfile.reading import faults

TABLE = (Path(__file__).parent / "recorded" / "strace.txt").read_text()


def test_calls_and_errors_by_name():
    found = PARSER.parse(Printed(counts=TABLE, traced=("all",), asked=("syscalls.bpf",)))
    assert found.numbers["syscalls.mmap"] == 40
    assert found.numbers["syscalls.mmap.errors"] == 0
    assert found.numbers["syscalls.access.errors"] == 1
    assert found.numbers["syscalls.total"] == 372
    assert found.numbers["syscalls.bpf"] == 0  # every call was traced, and this one not made


def test_a_traced_call_that_was_not_made_is_zero_and_an_untraced_one_unknown():
    found = PARSER.parse(Printed(counts=TABLE, traced=("mmap", "madvise", "sendfile")))
    assert (found.numbers["syscalls.madvise"], found.numbers["syscalls.sendfile"]) == (2, 0)
    assert "syscalls.bpf" not in found.numbers


def test_no_trace_is_not_zero_calls():
    assert "say trace: [mmap]" in PARSER.parse(Printed()).why["syscalls"]
    lost = PARSER.parse(Printed(traced=("mmap",), counts=""))
    assert lost.numbers == {}
    assert "killed" in lost.why["syscalls"]


def test_the_command_is_wrapped():
    words = traced(["./x", "-v"], ["mmap", "madvise"])
    assert words[-5:] == ["-e", "trace=mmap,madvise", "--", "./x", "-v"]
    assert "-e" not in traced(["./x"], ["all"])


def test_a_host_without_strace_is_told_what_to_declare():
    exp = Experiment.model_validate({"workload": {"argv": ["x"], "trace": ["mmap"]}})
    with pytest.raises(HostError) as caught:
        preflight.check(exp, ("board", {"tools": {"strace": None}}), [])
    assert caught.value.message == "board has no strace, which counts system calls"
    assert "packages: [strace]" in caught.value.fix
    preflight.check(exp, ("board", {"tools": {"strace": "/usr/bin/strace"}}), [])


SPEC = """\
schema: experiment/1
name: traced
hosts: {server: local}
build: {go: "1.22.10", package: ./program, env: {CGO_ENABLED: "0"}}
workload:
  argv: ["{binary}", -listen, "127.0.0.1:{port}"]
  ready: {http: "http://127.0.0.1:{port}/runtime"}
  cgroup: {memory.max: 96MiB}
  trace: [mmap, madvise, sendfile]
metrics:
  mmap: {from: syscalls.mmap, kind: exact}
  madvise: {from: syscalls.madvise}
  failed: {from: syscalls.madvise.errors}
  sendfile: {from: syscalls.sendfile}
"""
ONCE = """\
schema: experiment/1
name: traced
hosts: {server: local}
workload: {argv: [cat, /dev/null, /no/such/file], run: once, trace: all}
metrics:
  opened: {from: syscalls.openat}
  failed: {from: syscalls.openat.errors}
  bpf: {from: syscalls.bpf}
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_real_server_is_traced_from_its_first_instruction(local, unchanged):
    """Its pid is still the workload's, it ends by TERM, and the tracer's table is brought."""
    shutil.copytree(Path(__file__).parent / "program", local.folder / "program")
    local.apply(local.spec(SPEC))
    (folder,) = (local.reports / "traced").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    (step,) = analysis["trials"][0]["steps"]
    assert analysis["trials"][0]["outcome"] == "healthy"
    assert step["numbers"]["syscalls.mmap"] >= 10  # the runtime's own, before main
    assert step["numbers"]["syscalls.madvise"] >= 1  # FreeOSMemory
    assert step["numbers"]["syscalls.sendfile"] == 0
    assert step["numbers"]["syscalls.total"] >= step["numbers"]["syscalls.mmap"]
    assert step["numbers"]["procfs.rss"] > 5e6  # the program's, and not strace's


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_program_run_once_is_traced_to_its_end(local, unchanged):
    """Its exit code stays its own; of `all`, what was not called is 0."""
    local.apply(local.spec(ONCE), code=None)
    (folder,) = (local.reports / "traced").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    (step,) = analysis["trials"][0]["steps"]
    assert step["numbers"]["syscalls.openat"] >= 3
    assert step["numbers"]["syscalls.openat.errors"] >= 1
    assert step["numbers"]["syscalls.bpf"] == 0


def test_a_name_that_nobody_counts_is_refused():
    (said,) = faults(SPEC.replace("[mmap, ", "["))
    assert "`syscalls.mmap` is counted by nobody: say `trace: [mmap]` under workload" in said
