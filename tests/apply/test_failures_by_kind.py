"""How trials ended, by kind and treatment, each kind by a program that really ends so."""

from __future__ import annotations

import json
import sys

from tests.apply.specs import table_below

FAILS = """\
import os, signal, sys
how = sys.argv[1]
print("the answer is", 41 if how == "wrong" else 42, flush=True)
if how == "late":
    signal.pause()
if how == "memory":
    kept = [bytearray(b"x" * (1 << 20)) for _ in range(512)]
if how.startswith("cpu"):
    while True:
        pass
if how == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if how == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(3 if how == "code" else 0)
"""
KINDS = {
    "right": "healthy", "wrong": "wrong", "late": "timeout", "memory": "out of memory",
    "cpu": "out of CPU time", "cpu-soft": "out of CPU time", "crash": "crashed (SIGSEGV)",
    "killed": "crashed (SIGKILL)", "code": "exit code 3",
}  # fmt: skip


def test_failures_are_told_apart(local):
    """One column a kind, one trial in it; the limit of CPU time is no crash."""
    program = local.folder / "fails.py"
    program.write_text(FAILS)
    levels = [f"    {how}: {{}}" for how in KINDS if how != "cpu-soft"]
    levels += ["    cpu-soft: {workload: {limits: {cpu: {soft: 1, hard: 30}}}}"]
    argv = json.dumps([sys.executable, "-I", "-S", str(program), "{how}"])
    found = local.apply(local.spec("\n".join([
        "schema: experiment/1", "name: fails",
        f"workload: {{argv: {argv}, run: once, timeout: 4s, limits: {{cpu: 1}},",
        "  cgroup: {memory.max: 64MiB, memory.swap.max: 0}}",
        "healthy: [stdout matches 'the answer is 42']",
        "factors:", "  how:", *levels,
        "metrics: {wall: {from: workload.wall}, cpu: {from: workload.user_cpu}}", "",
    ])))  # fmt: skip
    assert len(found["trials"]) == len(KINDS)
    (folder,) = (local.reports / "fails").glob("2*")
    report = (folder / "artifacts" / "report.md").read_text()
    rows = table_below(report, "## Outcomes")
    head = rows.pop("treatment")
    told = {
        row[0].removeprefix("how="): [kind for kind, count in zip(head[1:], row[1:], strict=True)
                                      if count == "1"]
        for name, row in rows.items() if name.startswith("how=")
    }  # fmt: skip
    assert told == {how: [kind] for how, kind in KINDS.items()}
    # what ran out of CPU time used at least so much, and took at least so long
    numbers = [line for line in report.splitlines() if line.startswith("| `cpu`")]
    assert sum("≥" in line for line in numbers) == 3
